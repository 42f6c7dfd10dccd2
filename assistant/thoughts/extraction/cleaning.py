"""What of a passage's text is read: prose, without markup, with the way back to its offsets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARACTERS = 20_000  # of a passage; what comes later is not read
MAX_WORD = 60  # characters; longer ones are addresses, hashes, encoded data
MAX_BLOCK = 5_000  # characters of a paragraph parsed at a time
_LEAST_LETTERS = 0.72  # share of letters and spaces in prose; code and tables have less

_PARAGRAPH = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*[-*•#][ \t])")
_MARKUP = re.compile(
    r"""
    \[\d{1,3}(?:[,–-]\s?\d{1,3})*\]_?      # citations
    | https?://\S+ | www\.\S+
    | `+_{0,2} | \*+ | ^\s*\#+\s           # emphasis, code marks, headings
    | ,(?=\s(?:Inc|Ltd|LLC|Corp|Jr|Sr|PLC|Co)\b)   # "Reuters, Ltd." is one name
    | (?<!\w)__?(?=\w) | (?<=\w)__?(?!\w)
    """,
    re.VERBOSE | re.MULTILINE,
)
_BRACKETS = re.compile(r"\([^()]{0,300}\)|\[[^\[\]]{0,200}\]")
_LONG_WORD = re.compile(rf"\S{{{MAX_WORD + 1},}}")
_CODE = re.compile(r"[{}<>=|\\;]|\w\(|\)\.|::|->")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph as it is parsed.

    Attributes:
        text: the cleaned text.
        offsets: for each of its characters, where it stands in the passage.
        brackets: (position in `text` where it stood, its content) of what was taken out.
    """

    text: str
    offsets: tuple[int, ...]
    brackets: tuple[tuple[int, str], ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the passage of a span of the cleaned text that is not empty."""
        return self.offsets[start], self.offsets[end - 1] + 1


def blocks(text: str) -> list[Block]:
    """The paragraphs of a passage that are prose, cleaned.

    Citations, markup, web addresses and brackets are taken out, control characters become spaces,
    white space is one space. Paragraphs of code or data are left out.
    """
    return [
        block
        for start, end in _paragraphs(text[:MAX_CHARACTERS])
        if (block := _clean(text, start, end)) is not None
    ]


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for cut in [*(m.start() for m in _PARAGRAPH.finditer(text)), len(text)]:
        while cut - start > MAX_BLOCK:
            # Between two sentences, or words, or anywhere.
            end = max(text.rfind(". ", start, start + MAX_BLOCK) + 1, 0) or max(
                text.rfind(" ", start, start + MAX_BLOCK), 0
            )
            end = end if end > start else start + MAX_BLOCK
            yield start, end
            start = end
        if cut > start:
            yield start, cut
        start = cut


def _clean(text: str, start: int, end: int) -> Block | None:
    piece = text[start:end]
    if _is_code(piece):
        return None
    removed: list[tuple[int, int, str]] = []
    for pattern in (_MARKUP, _LONG_WORD):
        removed += [(m.start(), m.end(), "") for m in pattern.finditer(piece)]
    removed += [(m.start(), m.end(), m.group()[1:-1]) for m in _BRACKETS.finditer(piece)]
    removed.sort()
    out: list[str] = []
    offsets: list[int] = []
    brackets: list[tuple[int, str]] = []
    position = 0
    for left, right, content in [*removed, (len(piece), len(piece), "")]:
        for index in range(position, left):
            char = piece[index]
            if char.isspace() or unicodedata.category(char)[0] == "C":
                char = " "
                if not out or out[-1] == " ":
                    continue
            elif (
                char in ",.;:"
                and index == position > 0
                and out
                and out[-1] == " "
                and (not piece[index + 1 : index + 2].isalnum())
            ):
                out.pop()  # the space before what was taken out
                offsets.pop()
            out.append(char)
            offsets.append(start + index)
        if content and left >= position:
            brackets.append((len(out), content))
        position = max(position, right)
    cleaned = "".join(out)
    if not cleaned.strip() or not _is_prose(cleaned):
        return None
    return Block(cleaned, tuple(offsets), tuple(brackets))


def _is_code(text: str) -> bool:
    """It has the marks of code or data rather than of prose."""
    sample = _MARKUP.sub("", text[:MAX_BLOCK])
    return len(_CODE.findall(sample)) > 2 + len(sample) // 150


def _is_prose(text: str) -> bool:
    """A cleaned text is made of words rather than of numbers and marks."""
    return sum(c.isalpha() or c.isspace() for c in text) >= _LEAST_LETTERS * len(text)
