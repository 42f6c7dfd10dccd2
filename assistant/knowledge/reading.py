"""What was prepared, for the reader and for the events: always with its passage's number."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.events import FoundPassage, PreparedEntry
from assistant.knowledge.searching import PreparedKnowledge
from indexes.index import Hit

FITS = 0.5  # score from which an entry is worth the reader's time
_MOST, _OF_ONE = 4, 2


def prepared_entries(hit: Hit, prepared: PreparedKnowledge) -> tuple[PreparedEntry, ...]:
    """The entries that a hit was found through, best first."""
    found = []
    for through in hit.through:
        entry = prepared.entry(through.id)
        if entry is not None:
            found.append(
                PreparedEntry(
                    entry.id,
                    entry.text,
                    entry.question,
                    entry.answer,
                    entry.tier,
                    round(through.score, 4),
                )
            )
    return tuple(found)


def entries_for(
    passages: Sequence[FoundPassage], *, most: int = _MOST, fits: float = FITS
) -> list[tuple[int, str]]:
    """What the reader may be told beside the passages: (number of the passage, words).

    Only entries through which one of these passages was found, that fit what was asked; a person's
    own come first, then the better fit. The number is that of the passage that they were written
    for, so nothing prepared can be cited without it.

    Args:
        most: how many at most; two for one passage.
        fits: the least score.
    """
    found = [
        (entry.tier != "approved", -entry.score, passage.number, entry)
        for passage in passages
        for entry in passage.prepared[:_OF_ONE]
        if entry.score >= fits
    ]
    found.sort(key=lambda one: one[:3])
    return [(number, in_words(entry)) for _, _, number, entry in found[:most]]


def in_words(entry: PreparedEntry) -> str:
    """Question and answer on one line, or the statement."""
    return f"{entry.question} {entry.answer}" if entry.question else entry.text
