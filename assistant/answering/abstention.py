"""Saying "not in your documents" well: what is missing, and what comes closest."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.events import FoundPassage
from assistant.understanding.stems import stem, stems
from assistant.understanding.words import content_words

ABSTENTION = "This is not in your documents."
_CLOSEST = 3
# Of "came up with" nobody misses the "up".
_PARTICLES = frozenset(("up", "down", "out", "off", "away"))


def missing_piece(question: str, passages: Sequence[FoundPassage]) -> str:
    """What the documents do not say, in words.

    Words of the question that no found passage contains are named; if all occur, what is missing
    is what joins them.
    """
    if not passages:
        return "No passage is about any of the question's words."
    known = {s for passage in passages for s in stems(f"{passage.title} {passage.text}")}
    words = [w for w in dict.fromkeys(content_words(question)) if w not in _PARTICLES]
    absent = [word for word in words if stem(word) not in known]
    if absent:
        return f"No passage found mentions {_listed(absent, 'or')}."
    return f"Passages mention {_listed(words)}, but none of them answers the question."


def closest_passages(passages: Sequence[FoundPassage]) -> tuple[int, ...]:
    """The numbers of the passages a person may want to look at."""
    return tuple(passage.number for passage in passages[:_CLOSEST])


def _listed(words: Sequence[str], last: str = "and") -> str:
    quoted = [f"“{word}”" for word in words[:6]]
    if len(quoted) <= 1:
        return "".join(quoted) or "it"
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"
