"""From the lines of PDF pages to headings and paragraphs.

A PDF knows glyphs at places; the lines are what an extractor makes of them. Running heads and
page numbers are left out, wrapped lines joined, words hyphenated at a line end put together, a
paragraph that goes on over the page kept whole (it belongs to the page where it begins).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from indexes.corpora.blocks import DocumentBuilder
from indexes.documents import BlockKind

_FULL = 0.62  # of the usual line length; a shorter line is not wrapped prose
_NEARLY_FULL = 0.85  # a line that ends a sentence before this ends the paragraph
_RUNNING_PAGES = 3
_RUNNING_SHARE = 0.3
_LONGEST_RUNNING = 100
_MOST_HEADINGS = 6  # numbered lines on a page; more are a table of contents

_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_LIGATURE = re.compile("[ﬀ-ﬆ]")
_BULLET = re.compile(r"(?:[•‣◦▪●○■–—*·-]\s|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s)")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2})*)\.?\s+([A-ZÀ-Þ][^\n]{1,78})$")
_SENTENCE_END = re.compile(r"[.!?:]['\"”’)\]]*$")
_HYPHENATED = re.compile(r"([^\W\d_]+)[-\u2010\u00ad]$")
_LEADERS = re.compile(r"(?:\s?\.){4,}\s?(?=\w+\s*$)")
_PAGE_NUMBER = re.compile(r"^(\d{1,4})\b|\b(\d{1,4})$")
_PLAIN = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the outline; `page` counts from 1."""

    level: int
    title: str
    page: int


@dataclass(slots=True)
class _Line:
    text: str
    page: int
    level: int = 0  # of a heading; 0 otherwise
    opens: bool = False  # follows an empty line


def add_pages(builder: DocumentBuilder, pages: Sequence[str], outline: Sequence[Heading]) -> None:
    """Add the text of pages (page 1 first) to a document."""
    lines = _lines(pages)
    if outline:
        _mark_outline(lines, outline)
    else:
        _mark_numbered(lines)
    _Paragraphs(builder, lines).add()


def _lines(pages: Sequence[str]) -> list[_Line]:
    by_page: list[list[_Line]] = []
    for number, page in enumerate(pages, start=1):
        page = _LIGATURE.sub(lambda found: _LIGATURES[found[0]], page)
        lines: list[_Line] = []
        blank = True
        for raw in page.split("\n"):
            text = " ".join(_LEADERS.sub(" … ", raw).split())
            if text:
                lines.append(_Line(text, number, opens=blank))
            blank = not text
        by_page.append(lines)
    running = _running_lines(by_page)
    return [line for lines in by_page for line in lines if id(line) not in running]


def _zone(position: int, count: int) -> str:
    return "head" if position < 2 else "foot" if position >= count - 2 else ""


def _running_lines(by_page: Sequence[Sequence[_Line]]) -> set[int]:
    """The ids of heads and feet: the same on many pages, or carrying the page's number.

    Of those that are the same everywhere the first is kept, so that no word is lost. Lines that
    differ by other numbers ("Total: 30") are not heads but the same form, filled in.
    """
    same: dict[tuple[str, str], list[_Line]] = defaultdict(list)
    numbered: dict[int, list[_Line]] = defaultdict(list)  # by number printed less page
    for lines in by_page:
        for position, line in enumerate(lines):
            zone = _zone(position, len(lines))
            if not zone or len(line.text) > _LONGEST_RUNNING:
                continue
            same[zone, line.text.casefold()].append(line)
            if number := _PAGE_NUMBER.search(line.text):
                numbered[int(number[1] or number[2]) - line.page].append(line)
    filled = sum(bool(lines) for lines in by_page)
    often = max(_RUNNING_PAGES, _RUNNING_SHARE * filled)
    running = {id(line) for lines in same.values() if len(lines) >= often for line in lines[1:]}
    if numbered:
        tracking = max(numbered.values(), key=len)
        if len(tracking) >= max(_RUNNING_PAGES, filled // 2):
            running |= {id(line) for line in tracking}
    return running


def _mark_outline(lines: Sequence[_Line], outline: Sequence[Heading]) -> None:
    """Mark the lines that the outline names; entries that are not on their page are left out."""
    by_page: dict[int, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        by_page[line.page].append(index)
    for entry in outline:
        wanted = _PLAIN.sub("", entry.title).casefold()
        for index in by_page.get(entry.page, []):
            text = _PLAIN.sub("", lines[index].text).casefold()
            exact = text == wanted or re.sub(r"^\d+", "", text) == re.sub(r"^\d+", "", wanted)
            if wanted and exact and not lines[index].level:
                lines[index].level = entry.level
                break


def _mark_numbered(lines: Sequence[_Line]) -> None:
    """Mark "2.1 Title" lines, and "2 Title" where there is a "2.1 …": one level may be a list."""
    found: list[tuple[_Line, str]] = []
    for line in lines:
        number = _NUMBERED.match(line.text)
        ends = line.text[-1] in ".,;:" or line.text[-1].isdigit() or " … " in line.text
        if number and not ends:
            found.append((line, number[1]))
    per_page = Counter(line.page for line, _ in found)
    found = [(line, number) for line, number in found if per_page[line.page] <= _MOST_HEADINGS]
    sections = {number.split(".")[0] for _, number in found if "." in number}
    for line, digits in found:
        if "." in digits or digits in sections:
            line.level = digits.count(".") + 1


class _Paragraphs:
    """Joins lines to paragraphs and gives them to a builder."""

    def __init__(self, builder: DocumentBuilder, lines: Sequence[_Line]) -> None:
        self._builder = builder
        self._lines = lines
        self._width = _usual_width(lines)
        self._words = Counter(
            word for line in lines for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text)
        )

    def add(self) -> None:
        paragraph: list[_Line] = []
        for line in self._lines:
            if paragraph and not self._continues(paragraph[-1], line):
                self._flush(paragraph)
                paragraph = []
            if line.level:
                self._builder.heading(line.level, line.text, line.page)
            else:
                paragraph.append(line)
        self._flush(paragraph)

    def _continues(self, last: _Line, line: _Line) -> bool:
        if line.level or _BULLET.match(line.text):
            return False
        full = len(last.text) >= _FULL * self._width
        if last.page != line.page:
            unfinished = not _SENTENCE_END.search(last.text)
            return full and unfinished and line.text[0].islower()
        if line.opens:
            return False
        ended = bool(_SENTENCE_END.search(last.text))
        return not (ended and len(last.text) < _NEARLY_FULL * self._width)

    def _flush(self, paragraph: Sequence[_Line]) -> None:
        if not paragraph:
            return
        text = paragraph[0].text
        for last, line in pairwise(paragraph):
            hyphenated = _HYPHENATED.search(text)
            if hyphenated and line.text[0].islower():
                text = self._dehyphenated(text, hyphenated, line.text)
            elif len(last.text) >= _FULL * self._width:
                text += f" {line.text}"
            else:  # lines of a table, of code, of an address
                text += f"\n{line.text}"
        kind: BlockKind = "list" if _BULLET.match(text) else "text"
        self._builder.add(text, kind, paragraph[0].page)

    def _dehyphenated(self, text: str, hyphenated: re.Match[str], following: str) -> str:
        """Without the hyphen, unless the document writes the word with one elsewhere."""
        rest = re.match(r"[^\W\d_]+", following)
        tail = rest[0] if rest else ""
        with_hyphen = self._words[f"{hyphenated[1]}-{tail}"]
        keep = with_hyphen > self._words[f"{hyphenated[1]}{tail}"]
        return (text if keep else text[: hyphenated.end(1)]) + following


def _usual_width(lines: Sequence[_Line]) -> int:
    """The length that nine of ten lines do not exceed: about a full line of the main text."""
    lengths = sorted(len(line.text) for line in lines)
    return lengths[int(len(lengths) * 0.9)] if lengths else 0
