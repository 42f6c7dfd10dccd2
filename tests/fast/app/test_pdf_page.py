"""The page of a PDF with the cited sentence marked."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.components.pdf_page import find_letters, lines_of, render_page, unchanged_pdf
from assistant.errors import ReadError
from tests.browser.documents import write_documents

QUOTE = "The last keeper of the Kerring lighthouse was Agnes Thorvald, who lit the lamp"


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    write_documents(tmp_path)
    return tmp_path / "lighthouse.pdf"


def marked_rows(picture: bytes) -> set[int]:
    """Rows of pixels that have the ground of a mark."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    yellow = Image.eval(image.getchannel("B"), lambda value: 255 if value < 200 else 0)
    red = Image.eval(image.getchannel("R"), lambda value: 255 if value > 240 else 0)
    both = Image.merge("RGB", (yellow, red, red))
    return {
        y
        for y in range(image.height)
        for x in range(0, image.width, 10)
        if both.getpixel((x, y)) == (255, 255, 255)
    }


def test_the_sentence_is_marked_on_its_page(pdf: Path) -> None:
    picture, found = render_page(pdf, 2, [QUOTE])
    assert found == 1
    assert marked_rows(picture)


def test_a_sentence_of_another_page_is_not_marked(pdf: Path) -> None:
    picture, found = render_page(pdf, 1, [QUOTE])
    assert found == 0
    assert not marked_rows(picture)


def test_a_page_that_is_not_there(pdf: Path) -> None:
    with pytest.raises(ReadError, match="no page 9"):
        render_page(pdf, 9, [])


def test_a_file_that_is_no_pdf(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(ReadError):
        render_page(broken, 1, [])


def test_only_an_unchanged_local_pdf_is_shown(pdf: Path) -> None:
    fingerprint = hashlib.sha256(pdf.read_bytes()).hexdigest()
    assert unchanged_pdf(str(pdf), fingerprint) == pdf
    assert unchanged_pdf(str(pdf), "0" * 64) is None
    assert unchanged_pdf("https://example.com/a.pdf", fingerprint) is None
    pdf.unlink()
    assert unchanged_pdf(str(pdf), fingerprint) is None


def test_letters_are_found_across_line_breaks_and_hyphens() -> None:
    page = "It is the light-\r\nhouse of “Kerring”. More."
    span = find_letters(page, 'the lighthouse of "Kerring".')
    assert span is not None
    assert page[slice(*span)] == "the light-\r\nhouse of “Kerring”."


@given(st.text(max_size=30), st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
def test_a_text_is_found_where_it_is(before: str, quote: str) -> None:
    span = find_letters(f"{before} {quote}", quote)
    assert span is not None
    assert span[1] <= len(before) + 1 + len(quote)


def test_characters_of_a_line_become_one_box() -> None:
    boxes = [(0, 0, 5, 10), (6, 0, 9, 10), (0, -20, 5, -10), (3, 3, 3, 3)]
    assert lines_of(boxes) == [(0, 0, 9, 10), (0, -20, 5, -10)]
