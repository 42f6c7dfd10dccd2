"""Near-duplicates among the passages that were found: one is shown, the others listed with it.

Only the few passages of one result are compared, so every pair can be looked at exactly: no
sketches (MinHash) are needed, and nothing has to be kept in the index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

SHINGLE_WORDS = 3
SIMILAR_FROM = 0.9

# A sign before a number and a percent sign after it belong to it; so do marks within a word.
_WORD = re.compile(r"(?:(?<!\w)[+−-](?=\d))?\w+(?:[.,:/'’-]\w+)*%?")
# A passage that says "not" and one that does not are no duplicates, however alike.
_NEGATIONS = frozenset(
    "no not none nor never neither nobody nothing nowhere without cannot hardly fails failed lacks "
    "nicht kein keine keinen keiner ohne nie ne pas jamais sans sin nunca".split()
)


@dataclass(frozen=True, slots=True)
class Fold:
    """Positions in the list that was given: the passage shown, and those alike, in their order."""

    shown: int
    duplicates: tuple[int, ...] = ()


def normalised(text: str) -> str:
    """The text as far as folding tells texts apart: compatible forms, lower case, single spaces."""
    return _spaced(text).casefold()


def shingles(text: str, size: int = SHINGLE_WORDS) -> frozenset[tuple[str, ...]]:
    """Every run of `size` words of a text; a shorter text is one run (Broder, 1997)."""
    return _runs([word.casefold() for word in _WORD.findall(_spaced(text))], size)


def jaccard(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> float:
    """Size of the intersection over that of the union; 1 for two empty sets."""
    common = len(a & b)
    union = len(a) + len(b) - common
    return common / union if union else 1.0


def folded(texts: Sequence[str], *, similar_from: float = SIMILAR_FROM) -> list[Fold]:
    """Group near-duplicates under the first of them; the folds keep the order of their first.

    Two texts are alike if they are equal once normalised, or if the Jaccard similarity of their
    shingles is at least `similar_from` and they share, each as often,

    - numbers, words with digits and negations ("5 of 10" is not "10 of 10");
    - the words written with a capital, which are the names in most languages: pages made from one
      template differ in nothing else.

    Each text is compared with the passages shown only, so that likeness does not creep from one to
    the next. A text without any word is alike only to an equal one. One other word may differ
    ("rises" for "falls"): what is folded must stay within reach of the reader.
    """
    shown: list[int] = []
    members: dict[int, list[int]] = {}
    seen: dict[str, int] = {}
    read = [_Read(text) for text in texts]
    for position, own in enumerate(read):
        first = seen.get(own.normalised)
        if first is None and own.words:
            first = next((o for o in shown if own.is_like(read[o], similar_from)), None)
        if first is None:
            first = position
            shown.append(position)
            members[position] = []
        else:
            members[first].append(position)
        seen.setdefault(own.normalised, first)
    return [Fold(position, tuple(members[position])) for position in shown]


class _Read:
    """A text taken apart once; what costs most is made only where the rest agrees."""

    def __init__(self, text: str) -> None:
        spaced = _spaced(text)
        self.normalised = spaced.casefold()
        written = _WORD.findall(spaced)
        self.words = [word.casefold() for word in written]
        self._decisive = sorted(word for word in self.words if _decides(word))
        self._names = sorted(word for word in written if word[0].isupper())

    @cached_property
    def _shingles(self) -> frozenset[tuple[str, ...]]:
        return _runs(self.words, SHINGLE_WORDS)

    def is_like(self, other: _Read, similar_from: float) -> bool:
        return (
            self._decisive == other._decisive
            and self._names == other._names
            and jaccard(self._shingles, other._shingles) >= similar_from
        )


def _spaced(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _decides(word: str) -> bool:
    return (
        word in _NEGATIONS
        or word.endswith(("n't", "n’t"))
        or (not word.isalpha() and any(c.isdigit() for c in word))
    )


def _runs(words: Sequence[str], size: int) -> frozenset[tuple[str, ...]]:
    if len(words) <= size:
        return frozenset({tuple(words)})
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))
