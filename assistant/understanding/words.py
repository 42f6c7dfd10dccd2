"""The words and phrases that say what a text is about."""

from __future__ import annotations

import re
from collections.abc import Callable

# Phrases of a text, in order: noun phrases from a parser, or capitalised and long words.
Phrases = Callable[[str], list[str]]

_WORD = re.compile(r"[^\W_][\w'’-]*")
_EMPTY_WORDS = frozenset(
    """
    a an the and or but of in on at to for from by with as is are was were be been being do
    does did have has had can could should would will may might must shall not no yes what
    which who whom whose when where why how it its they them their he him his she her this
    that these those i me my we us our you your there here about into than then so if also
    too very please tell give show explain know think want need like more much many some any
    else example examples one ones other others both same thing things way ok okay thanks
    thank
    """.split()
)


def content_words(text: str) -> list[str]:
    """Words that say what a text is about, lower case, in order."""
    return [text[start:end].lower() for start, end in content_places(text)]


def content_places(text: str) -> list[tuple[int, int]]:
    """Where those words stand: first character and the one after the last."""
    places = (match.span() for match in _WORD.finditer(text))
    return [(a, b) for a, b in places if b - a > 1 and text[a:b].lower() not in _EMPTY_WORDS]


def simple_phrases(text: str) -> list[str]:
    """Phrases without a parser: runs of capitalised words inside a sentence, and long words."""
    runs = re.findall(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*)*", text)
    return [*runs, *(word for word in content_words(text) if len(word) > 3)]
