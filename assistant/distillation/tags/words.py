"""Words of a conversation, told apart by their stems, and those that a message leaves unsaid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from assistant.understanding.stems import stem
from assistant.understanding.types import Message
from assistant.understanding.words import content_places


class Word(NamedTuple):
    """A word of the history: which message, its characters there, and its stem."""

    message: int
    start: int
    end: int
    stem: str


def stem_of(word: str) -> str:
    """Stem of one word, lower case: "Universities" and "university's" are both "university"."""
    low = word.lower().replace("’", "'").removesuffix("'s").rstrip("'")
    if low.endswith("ies") and len(low) > 4:
        low = f"{low[:-3]}y"
    return stem(low)


def stem_places(text: str) -> list[tuple[int, int, str]]:
    """Start, end and stem of each content word of a text."""
    return [(a, b, stem_of(text[a:b])) for a, b in content_places(text)]


def stems_of(texts: Iterable[str]) -> frozenset[str]:
    """Stems of the content words of several texts."""
    return frozenset(stem for text in texts for _, _, stem in stem_places(text))


def missing_stems(message: str, history: Iterable[Message], resolved: str) -> frozenset[str]:
    """What the conversation said, the message leaves out and its full form has.

    The labels of QuReTeC (Voskarides et al., 2020, arXiv 2005.11723, section 3.2), by stems.
    """
    said = stems_of(one.content for one in history)
    return (stems_of([resolved]) & said) - stems_of([message])


def by_stem(words: Sequence[Word], values: Sequence[float]) -> dict[str, float]:
    """The highest probability of each stem over all its mentions."""
    best: dict[str, float] = {}
    for word, value in zip(words, values, strict=True):
        best[word.stem] = max(value, best.get(word.stem, 0.0))
    return best
