"""Text from models and documents, made harmless for Streamlit's Markdown.

Streamlit turns Markdown, LaTeX (`$`), emoji names, colour directives and web addresses into
something else. What a model wrote or a document says must look as it is, so it all goes through
`plain` before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # CommonMark lets all of these be escaped
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2066-\u2069\u202a-\u202e]")
_INDENT = re.compile(r"(?m)^[ \t]+")
_JOINER = "\u2060"
# These are found in the text after escapes were resolved, so an escape does not stop them; an
# invisible word joiner does: web and mail addresses, `:emoji:` names, arrows and dashes.
_FOUND_LATER = re.compile(
    r"(?<=https:)(?=//)|(?<=http:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=\w)"
    r"|(?<=:)(?=[\w+-]+(?:/\w+)?:)"
    r"|(?<=(?<!\S)[-<>~])(?=[-=>]+(?!\S))|(?<=(?<!\S)<-)(?=>(?!\S))",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Markdown that shows `text` as it is: no link, image, HTML, formula, emoji or colour.

    Line breaks and indentation are kept. Characters that only control the direction or the
    terminal are left out.
    """
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INDENT.sub(lambda found: "\u00a0" * len(found.group().expandtabs(4)), text)
    # A mark lives between characters; it is put in before the escapes move them apart.
    marked = _FOUND_LATER.sub(_JOINER, text)
    escaped = _PUNCTUATION.sub(r"\\\1", marked)
    return re.sub(r"\n(?!\n)(?<!\n\n)", "  \n", escaped)


def one_line(text: str, limit: int = 80) -> str:
    """`text` on one line, cut at `limit` characters; not escaped."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def highlighted(text: str, spans: Iterable[tuple[int, int]], colour: str = "yellow") -> str:
    """Markdown of `text` with the character spans on a coloured ground."""
    parts: list[str] = []
    position = 0
    for start, end in _merged(spans, len(text)):
        parts += [plain(text[position:start]), _marked(text[start:end], colour)]
        position = end
    parts.append(plain(text[position:]))
    return "".join(parts)


def excerpt(text: str, start: int, end: int, around: int = 1200) -> tuple[int, int]:
    """Where to cut so that `start:end` is seen with whole lines or words around it."""
    left = max(0, start - around)
    right = min(len(text), end + around)
    if left > 0:
        breaks = [text.find(mark, left, start) for mark in ("\n", " ")]
        left = next((place + 1 for place in breaks if place >= 0), start)
    if right < len(text):
        breaks = [text.rfind(mark, end, right) for mark in ("\n", " ")]
        right = next((place for place in breaks if place >= 0), end)
    return left, right


def _marked(text: str, colour: str) -> str:
    """A directive cannot reach over a line break, so each line has its own."""
    lines = text.split("\n")
    return "  \n".join(
        f":{colour}-background[{plain(line)}]" if line.strip() else "" for line in lines
    )


def _merged(spans: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Spans inside the text, in order, those that touch made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, s), min(length, e)) for s, e in spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
