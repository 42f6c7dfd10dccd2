"""Real files of every format, made on the spot, and checks that hold for all documents."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import docx
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas

from indexes.corpora import open_source
from indexes.corpora.blocks import Parsed
from indexes.documents import Document, Entry, ReadFailure


def pdf(
    pages: Sequence[Sequence[str]],
    *,
    password: str | None = None,
    strength: int = 128,
    title: str = "",
    outline: Sequence[tuple[str, int, int]] = (),
) -> bytes:
    """A PDF with one line of text below the other; `outline` is (title, level, page)."""
    data = io.BytesIO()
    encrypt = None
    if password is not None:
        encrypt = StandardEncryption(password, ownerPassword="owner", strength=strength)
    paper = canvas.Canvas(data, pagesize=A4, encrypt=encrypt)
    if title:
        paper.setTitle(title)
    for number, lines in enumerate(pages, start=1):
        for name, level, page in outline:
            if page == number:
                paper.bookmarkPage(name)
                paper.addOutlineEntry(name, name, level)
        text = paper.beginText(60, 780)
        for line in lines:
            text.textLine(line)
        paper.drawText(text)
        paper.showPage()
    paper.save()
    return data.getvalue()


def scanned_pdf() -> bytes:
    """A PDF whose page is a picture."""
    data = io.BytesIO()
    paper = canvas.Canvas(data, pagesize=A4)
    paper.rect(100, 100, 200, 300, fill=1)
    paper.showPage()
    paper.save()
    return data.getvalue()


@cache
def word() -> bytes:
    """A Word document with headings, lists and a table."""
    document = docx.Document()
    document.add_heading("Handbook", 0)
    document.add_heading("Leave", 1)
    document.add_paragraph("You have thirty days of leave.")
    document.add_paragraph("ask early", style="List Bullet")
    document.add_paragraph("write it down", style="List Bullet")
    table = document.add_table(2, 2)
    for row, cells in enumerate((("Year", "Days"), ("2024", "30"))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    document.add_heading("Carry over", 2)
    paragraph = document.add_paragraph("Unused days ")
    paragraph.add_run("expire").bold = True
    paragraph.add_run(" in March.")
    data = io.BytesIO()
    document.save(data)
    return data.getvalue()


def blocks_of(parsed: Parsed | Document) -> list[tuple[str, str, tuple[str, ...]]]:
    """(kind, text, headings) of each block, after checking what every document promises."""
    check(parsed)
    return [(b.kind, parsed.text[b.start : b.end], b.headings) for b in parsed.blocks]


def check(parsed: Parsed | Document) -> None:
    """Blocks are in order, inside the text, apart and not blank; the text is clean."""
    end = 0
    for block in parsed.blocks:
        assert end <= block.start < block.end <= len(parsed.text)
        assert parsed.text[block.start : block.end].strip()
        assert not parsed.text[end : block.start].strip()
        end = block.end
    assert not parsed.text[end:].strip()
    assert parsed.title == parsed.title.strip()
    parsed.text.encode("utf-8")  # no lone surrogates
    assert not set(parsed.text) & set("\r\x00\x08\x0b\x0c\x1b\u00ad\ufeff")


def load(path: Path) -> Document:
    """The one document of a file."""
    (entry,) = open_source(str(path)).entries()
    assert isinstance(entry, Entry), entry
    document = entry.load()
    assert (document.uri, document.fingerprint) == (entry.uri, entry.fingerprint)
    check(document)
    return document


def failure(path: Path) -> ReadFailure:
    """The one failure of a file."""
    (item,) = open_source(str(path)).entries()
    assert isinstance(item, ReadFailure), item
    return item


@contextmanager
def ordinary_person() -> Iterator[Path]:
    """A folder of somebody without the rights of root, which tests in containers often have."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o777)
        as_root = os.geteuid() == 0
        if as_root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if as_root:
                os.seteuid(0)
            for path in folder.rglob("*"):
                if not path.is_symlink():
                    path.chmod(0o777)
