"""Building a document's text block by block, so that offsets are right by construction."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from indexes.documents import Block, BlockKind

_LONGEST_HEADING = 200
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x85\u2028\u2029]")
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]"
)
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a reader makes of the bytes of one item."""

    title: str
    text: str
    blocks: tuple[Block, ...]


def clean(text: str) -> str:
    """`text` as it goes into a document.

    Line ends are "\\n", the form is NFC; control characters, lone surrogates, soft hyphens and
    marks of no width are gone; a form feed is an empty line, a hard space a space.
    """
    if not text.isascii():
        text = text.replace("\u00a0", " ").replace("\u202f", " ").replace("\uf0b7", "•")
    text = _LINE_ENDS.sub("\n", text).replace("\f", "\n\n")
    text = _DROPPED.sub("", text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """`text` with every run of white space as one space."""
    return " ".join(clean(text).split())


def names(text: str) -> frozenset[str]:
    """The words of `text`, for tables of names that read better in lines than one by one."""
    return frozenset(text.split())


class DocumentBuilder:
    """Collects headings and blocks in reading order.

    Args:
        title: what the document is called where nothing better turns up.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._texts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0
        self._path: list[tuple[int, str]] = []

    @property
    def headings(self) -> tuple[str, ...]:
        """The path of headings above the next block."""
        return tuple(text for _, text in self._path)

    @property
    def is_empty(self) -> bool:
        return not self._blocks

    def heading(self, level: int, text: str, page: int | None = None) -> None:
        """Begin a section; headings of the same or a deeper level end. Level 1 is outermost."""
        text = one_line(text)
        if not text:
            return
        if len(text) > _LONGEST_HEADING:  # styled as a heading, but a paragraph
            self.add(text, page=page)
            return
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self.add(text, "heading", page)
        self._path.append((level, text))

    def add(self, text: str, kind: BlockKind = "text", page: int | None = None) -> None:
        """Add a block under the current headings; nothing happens where `text` is blank."""
        text = _BLANK_LINES.sub("\n\n", clean(text)).strip("\n").rstrip()
        if kind != "code":
            text = text.strip()
        if not text.strip():
            return
        if self._blocks:
            gap = "\n" if kind == "row" and self._blocks[-1].kind == "row" else "\n\n"
            self._texts.append(gap)
            self._length += len(gap)
        start, self._length = self._length, self._length + len(text)
        self._texts.append(text)
        self._blocks.append(Block(start, self._length, self.headings, page, kind))

    def parsed(self) -> Parsed:
        """The document so far."""
        return Parsed(one_line(self.title), "".join(self._texts), tuple(self._blocks))
