"""A page of a PDF as a picture, with the cited sentences' places marked.

pypdfium2 is not safe to be used by two threads, so everything here runs under one lock.
"""

from __future__ import annotations

import ctypes
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.errors import ReadError

_LOCK = threading.Lock()
_WIDTH = 1000  # pixels
_GROUND = (255, 214, 64, 96)

Box = tuple[float, float, float, float]  # left, bottom, right, top; points, origin at the bottom


def unchanged_pdf(uri: str, fingerprint: str) -> Path | None:
    """The file, if it is a local PDF that still is what was indexed."""
    path = Path(uri)
    if path.suffix.lower() != ".pdf" or not path.is_absolute():
        return None
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == fingerprint
    except OSError:
        return None
    return path if same else None


def render_page(path: Path, page: int, quotes: Sequence[str]) -> tuple[bytes, int]:
    """A page (counted from 1) as PNG, and how many of the quotes were found on it.

    Raises:
        ReadError: the file or the page cannot be opened.
    """
    import pypdfium2

    with _LOCK:
        try:
            document = pypdfium2.PdfDocument(path)
        except (pypdfium2.PdfiumError, OSError) as error:
            raise ReadError(f"{path.name} cannot be opened: {error}") from error
        try:
            if not 1 <= page <= len(document):
                raise ReadError(f"{path.name} has no page {page}")
            return _draw(document[page - 1], quotes)
        except pypdfium2.PdfiumError as error:
            raise ReadError(f"page {page} of {path.name} cannot be shown: {error}") from error
        finally:
            document.close()


def find_letters(haystack: str, needle: str) -> tuple[int, int] | None:
    """Where `needle` is in `haystack`, by letters and digits alone.

    White space, hyphens at line ends and quotation marks differ between what was indexed and
    what the page holds; the letters do not.
    """
    places = [place for place, char in enumerate(haystack) if char.isalnum()]
    letters = "".join(haystack[place].lower()[:1] for place in places)
    wanted = "".join(char.lower()[:1] for char in needle if char.isalnum())
    if not wanted:
        return None
    start = letters.find(wanted)
    if start < 0:
        return None
    first, last = places[start], places[start + len(wanted) - 1] + 1
    while last < len(haystack) and not haystack[last].isspace() and not haystack[last].isalnum():
        last += 1  # the full stop and what closes a quotation
    return first, last


def lines_of(boxes: Sequence[Box]) -> list[Box]:
    """Boxes of characters joined to one box for each line."""
    lines: list[Box] = []
    for left, bottom, right, top in boxes:
        if right <= left or top <= bottom:
            continue
        if lines:
            before = lines[-1]
            overlap = min(top, before[3]) - max(bottom, before[1])
            if overlap > 0.3 * min(top - bottom, before[3] - before[1]) and left >= before[0]:
                lines[-1] = (
                    before[0],
                    min(bottom, before[1]),
                    max(right, before[2]),
                    max(top, before[3]),
                )
                continue
        lines.append((left, bottom, right, top))
    return lines


def _draw(page: Any, quotes: Sequence[str]) -> tuple[bytes, int]:
    import io

    from PIL import Image, ImageDraw

    text = page.get_textpage()
    characters = _characters(text)
    scale = _WIDTH / page.get_width()
    picture = page.render(scale=scale).to_pil().convert("RGBA")
    ground = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(ground)
    found = 0
    for quote in quotes:
        span = find_letters(characters, quote)
        if span is None:
            continue
        found += 1
        boxes = [text.get_charbox(place) for place in range(*span)]
        for left, bottom, right, top in lines_of(boxes):
            height = page.get_height()
            corners = (left, height - top, right, height - bottom)
            pen.rectangle([value * scale for value in corners], fill=_GROUND)
    out = io.BytesIO()
    Image.alpha_composite(picture, ground).convert("RGB").save(out, "PNG")
    return out.getvalue(), found


def _characters(text: Any) -> str:
    """One character for each of pdfium's, so that a place in the text is a place on the page."""
    from pypdfium2 import raw

    codes = (raw.FPDFText_GetUnicode(text, place) for place in range(text.count_chars()))
    return "".join(chr(code) if 0 < code <= 0x10FFFF else " " for code in map(_plain_int, codes))


def _plain_int(code: Any) -> int:
    return int(code.value) if isinstance(code, ctypes._SimpleCData) else int(code)
