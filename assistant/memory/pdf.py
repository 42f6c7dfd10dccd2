"""Turns as a PDF, through reportlab.

The text is set in DejaVu Sans where it is found (it comes with matplotlib and with most Linux
systems): Latin, Greek, Cyrillic and many signs. Letters that the font does not have, and scripts
that are written from right to left or joined, would come out wrong, so they are refused in words.
"""

from __future__ import annotations

import importlib.util
import io
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from assistant.errors import UsageError
from assistant.memory.conversations import Turn
from assistant.memory.exporting import Told, told

_FOLDERS = (
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu"),
    Path("/usr/share/fonts/TTF"),
    Path("C:/Windows/Fonts"),
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts/Supplemental"),
)
_FILES = ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf", "Arial.ttf")
_FONT = "AssistantSans"
_REMEDY = "export as Markdown (md) instead: it holds every script"


def to_pdf(turns: Sequence[Turn], title: str = "") -> bytes:
    """The turns as an A4 document; the same turns give the same bytes.

    Signs that are no letters and not in the font (emoji) stand as their code, U+1F600.

    Raises:
        UsageError: reportlab is not installed, or the text has letters that it cannot set.
    """
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.units import mm
        from reportlab.platypus import SimpleDocTemplate
    except ImportError as error:
        raise UsageError(
            "writing PDF needs reportlab, which is not installed",
            remedy="pip install 'knowledge-assistant[export]', or export as Markdown",
        ) from error
    everything = [told(turn) for turn in turns]
    known = _register_font()
    heading = _settable(title.strip() or "Conversation", known)
    story = list(_story(everything, heading, known))
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        title=heading,
        author="Knowledge Assistant",
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        invariant=True,
    )
    document.build(story, onFirstPage=_page_number, onLaterPages=_page_number)
    return written.getvalue()


def _story(everything: Sequence[Told], title: str, known: set[int]) -> Iterator[Any]:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, Spacer

    def style(size: float, colour: str = "#1c2126", indent: float = 0) -> ParagraphStyle:
        return ParagraphStyle(
            "own",
            fontName=_FONT,
            fontSize=size,
            leading=size * 1.4,
            textColor=colour,
            leftIndent=indent,
            spaceAfter=size * 0.45,
        )

    def paragraph(text: str, *given: Any) -> Paragraph:
        return Paragraph(escape(_settable(text, known)), style(*given))

    yield paragraph(title, 16)
    for one in everything:
        yield Spacer(1, 10)
        yield paragraph(one.question, 12)
        made = ", ".join(filter(None, (one.at, f"index {one.index}" if one.index else "")))
        if made:
            yield paragraph(made, 8, "#5c6670")
        for line in one.answer.splitlines():
            if line.strip():
                yield paragraph(line, 10)
        if one.note:
            yield paragraph(one.note, 8.5, "#5c6670")
        if one.sources:
            yield paragraph(one.sources_title, 9, "#5c6670")
        for source in one.sources:
            yield paragraph(source.place, 9)
            yield paragraph(source.uri, 7.5, "#5c6670", 10)
            for quote in source.quotes:
                yield paragraph(f"“{quote}”", 8.5, "#3a434c", 10)


def _page_number(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(_FONT, 8)
    canvas.drawRightString(document.pagesize[0] - 60, 30, str(document.page))
    canvas.restoreState()


def _settable(text: str, known: set[int]) -> str:
    """The text with what the font lacks as codes.

    Raises:
        UsageError: letters are among that, or have to be joined or written from the right.
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    missing = dict.fromkeys(character for character in text if _wrong(character, known))
    letters = [c for c in missing if unicodedata.category(c)[0] in "LMN"]
    if letters:
        shown = " ".join(letters[:10])
        raise UsageError(f"the PDF cannot show these letters: {shown}", remedy=_REMEDY)
    return "".join(
        ("" if unicodedata.category(c) in ("Cf", "Mn") else f"[U+{ord(c):04X}]")
        if c in missing
        else c
        for c in text
    )


def _wrong(character: str, known: set[int]) -> bool:
    if unicodedata.bidirectional(character) in ("R", "AL", "AN"):
        return True
    return ord(character) not in known


def _register_font() -> set[int]:
    """Make the font known to reportlab under its name; returns the code points that it has."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    for path in _font_files():
        try:
            font = TTFont(_FONT, str(path))
        except (TTFError, OSError):
            continue
        pdfmetrics.registerFont(font)
        return set(font.face.charToGlyph)
    raise UsageError("no font for the PDF was found on this computer", remedy=_REMEDY)


def _font_files() -> Iterator[Path]:
    # Where matplotlib keeps its fonts; it is not imported for that.
    spec = importlib.util.find_spec("matplotlib")
    folders = [*(spec.submodule_search_locations or ())] if spec is not None else []
    for place in [Path(folder) / "mpl-data" / "fonts" / "ttf" for folder in folders]:
        yield place / "DejaVuSans.ttf"
    for folder in _FOLDERS:
        for name in _FILES:
            if (folder / name).is_file():
                yield folder / name
