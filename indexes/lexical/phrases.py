"""Phrases in quotation marks, and where they occur."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from indexes.carried import RowArray
from indexes.lexical.forward import Forward, IdArray
from indexes.lexical.tokens import words

# An opening mark stands at the start or after a space or bracket, a closing one before a space,
# a bracket or punctuation, so that inches (5" and 3") and a lone mark are text. Scripts without
# spaces have marks of their own.
_BEFORE, _AFTER = r"(?<![^\s(\[{<])", r"(?![^\s)\]}>.,;:!?…])"
_QUOTED = re.compile(
    rf'{_BEFORE}"([^"\n]+)"{_AFTER}|[“„]([^“”„\n]+)[”“]|«([^«»\n]+)»|「([^「」\n]+)」|『([^『』\n]+)』'
)


def quoted(query: str) -> list[tuple[str, ...]]:
    """The words of each phrase of a query; phrases without a word are left out."""
    found = []
    for match in _QUOTED.finditer(query):
        phrase = tuple(words(match[match.lastindex or 0]))
        if phrase and phrase not in found:
            found.append(phrase)
    return found


def occurrences(
    forward: Forward, phrase: Sequence[str], candidates: RowArray | None
) -> tuple[RowArray, npt.NDArray[np.int64]]:
    """The rows in which the words stand one after the other, ascending, and how often in each.

    Args:
        candidates: the only rows to look at, ascending; None for all.
    """
    ids = [forward.vocabulary.find(word) for word in phrase]
    if min(ids, default=-1) < 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    rows, counts = [], []
    for some, tokens, where in _looked_at(forward, candidates):
        places = where[_starts(tokens, where, ids)]
        count = np.bincount(places, minlength=len(some))
        hit = np.flatnonzero(count)
        rows.append(some[hit])
        counts.append(count[hit])
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return np.concatenate(rows), np.concatenate(counts)


def _looked_at(
    forward: Forward, candidates: RowArray | None
) -> Iterator[tuple[RowArray, IdArray, RowArray]]:
    if candidates is None:
        candidates = np.arange(len(forward), dtype=np.int64)
    for rows in forward.batches(candidates):
        yield rows, *forward.gathered(rows, only_words=True)


def _starts(tokens: IdArray, where: RowArray, ids: Sequence[int]) -> RowArray:
    """Where the run of `ids` begins in the tokens, inside one row."""
    places = np.flatnonzero(tokens == ids[0])
    for distance, number in enumerate(ids[1:], start=1):
        places = places[places + distance < len(tokens)]
        after = places + distance
        places = places[(tokens[after] == number) & (where[after] == where[places])]
    return places
