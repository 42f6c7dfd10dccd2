"""Near-duplicates among the passages that were found: one is shown, the others listed with it.

Only the few passages of one result are compared, so every pair can be looked at exactly: no
sketches (MinHash) are needed, and nothing has to be kept in the index.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from indexes.documents import content_hash

SHINGLE_WORDS = 3
SIMILAR_FROM = 0.9

# A sign before a number and a percent sign after it belong to it; so do marks within a word.
_WORD = re.compile(r"(?:(?<!\w)[+−-](?=\d))?\w+(?:[.,:/'’-]\w+)*%?")
_SPACE = re.compile(r"\s+")
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
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def shingles(text: str, size: int = SHINGLE_WORDS) -> frozenset[tuple[str, ...]]:
    """Every run of `size` words of a text; a shorter text is one run (Broder, 1997)."""
    words = _WORD.findall(normalised(text))
    if len(words) <= size:
        return frozenset({tuple(words)})
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def jaccard(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> float:
    """Size of the intersection over that of the union; 1 for two empty sets."""
    common = len(a & b)
    union = len(a) + len(b) - common
    return common / union if union else 1.0


def tells_apart(text: str) -> tuple[Counter[str], frozenset[str]]:
    """What two near-duplicates must share to say the same.

    Numbers (and words with digits) and negations, with how often each occurs, since "5 of 10" and
    "10 of 10" have the same numbers otherwise; and the words written with a capital, which are
    the names in most languages: pages made from one template differ in nothing else.
    """
    words = _WORD.findall(_SPACE.sub(" ", unicodedata.normalize("NFKC", text)))
    decisive = Counter(
        word
        for word in map(str.casefold, words)
        if any(c.isdigit() for c in word) or word in _NEGATIONS or word.endswith(("n't", "n’t"))
    )
    return decisive, frozenset(word for word in words if word[0].isupper())


def folded(texts: Sequence[str], *, similar_from: float = SIMILAR_FROM) -> list[Fold]:
    """Group near-duplicates under the first of them; the folds keep the order of their first.

    Two texts are alike if they are equal once normalised, or if the Jaccard similarity of their
    shingles is at least `similar_from` and they share numbers, negations and names
    (`tells_apart`). Each text is compared with the passages shown only, so that likeness does not
    creep from one to the next. A text without any word is alike only to an equal one. One other
    word may differ ("rises" for "falls"): what is folded must stay within reach of the reader.
    """
    shown: list[int] = []
    members: dict[int, list[int]] = {}
    hashes: dict[str, int] = {}
    sets = [shingles(text) for text in texts]
    marks = [tells_apart(text) for text in texts]
    for position, text in enumerate(texts):
        digest = content_hash(normalised(text))
        first = hashes.get(digest)
        if first is None and any(sets[position] - {()}):
            first = next(
                (
                    other
                    for other in shown
                    if marks[other] == marks[position]
                    and jaccard(sets[other], sets[position]) >= similar_from
                ),
                None,
            )
        if first is None:
            first = position
            shown.append(position)
            members[position] = []
        else:
            members[first].append(position)
        hashes.setdefault(digest, first)
    return [Fold(position, tuple(members[position])) for position in shown]
