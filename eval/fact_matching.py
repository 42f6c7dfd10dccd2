"""Which found facts are annotated ones.

Two ways to match a found fact with an annotated one of the same passage:

- *strict*: subject and object are equal in normal form (case, accents, punctuation, leading
  article), the relations consist of the same stems, and both or neither are negated;
- *lenient*: subject and object each share their head noun or have a token F1 of at least .5, and
  the relations share the stem of a content word, or neither has one ("is", "is a", "is in"). For
  those the two ends may be swapped ("X is Y", "Y is X"). Negation is not asked for.

Each fact is matched at most once; the matching has as many pairs as possible (augmenting paths),
and prefers, where it can, pairs that match strictly as well. Precision is the share of found facts
that are matched, recall of annotated ones. The flags are measured over the lenient pairs: the share
of pairs with the same negation, the same hedge, the same dates (as ISO).
Stems are those of the Snowball stemmer for English ("has" counts as "have"); it does not join
irregular forms ("write", "written").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from assistant.thoughts.model import normal_form
from indexes.lexical.index import english_stemmer

_FUNCTION_WORDS = frozenset(
    """
    a an the be is are was were been being of in on at to for from by with as into onto over under
    up down out off about around near between among through during since until after before one
    """.split()
)
_PREPOSITION = re.compile(
    r"\s(?:of|in|on|at|for|from|with|by|to|between|around|as|than|about|over)\s", re.IGNORECASE
)
_LEAST_OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact to compare; dates are ISO or empty."""

    subject: str
    relation: str
    object: str
    negated: bool = False
    hedged: bool = False
    valid_from: str = ""
    valid_to: str = ""


Same = Callable[[Statement, Statement], bool]


def match(
    found: Sequence[Statement],
    wanted: Sequence[Statement],
    same: Same,
    *,
    prefer: Same | None = None,
) -> list[tuple[int, int]]:
    """A largest one-to-one matching by augmenting paths, as (index of found, of wanted).

    Facts that `prefer` pairs are tried first, and keep a partner whatever comes later.
    """
    edges = [[j for j, w in enumerate(wanted) if same(f, w)] for f in found]
    if prefer is not None:
        for i, f in enumerate(found):
            edges[i].sort(key=lambda j, f=f: not prefer(f, wanted[j]))  # type: ignore[misc]
    first = [
        any(prefer(f, wanted[j]) for j in edges[i]) if prefer else False
        for i, f in enumerate(found)
    ]
    partner: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j in edges[i]:
            if j not in tried:
                tried.add(j)
                if j not in partner or place(partner[j], tried):
                    partner[j] = i
                    return True
        return False

    for i in sorted(range(len(found)), key=lambda i: (not first[i], i)):
        place(i, set())
    return sorted((i, j) for j, i in partner.items())


def strictly_equal(a: Statement, b: Statement) -> bool:
    """The strict match of the module's docstring."""
    return (
        a.negated == b.negated
        and normal_form(a.subject) == normal_form(b.subject)
        and normal_form(a.object) == normal_form(b.object)
        and frozenset(_stems(a.relation)) == frozenset(_stems(b.relation))
    )


def alike(a: Statement, b: Statement) -> bool:
    """The lenient match of the module's docstring."""
    left, right = _content(a.relation), _content(b.relation)
    if not (left & right) and (left or right):
        return False
    if _names_alike(a.subject, b.subject) and _names_alike(a.object, b.object):
        return True
    return not left and _names_alike(a.subject, b.object) and _names_alike(a.object, b.subject)


def _names_alike(a: str, b: str) -> bool:
    return _head(a) == _head(b) or _overlap(_stems(a), _stems(b)) >= _LEAST_OVERLAP


def _overlap(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b)) if a and b else 0.0


def _content(relation: str) -> frozenset[str]:
    words = normal_form(relation).split()
    return frozenset(_stems(" ".join(w for w in words if w not in _FUNCTION_WORDS)))


def _head(name: str) -> str:
    """The last word before the first preposition, stemmed."""
    stems = _stems(_PREPOSITION.split(name, maxsplit=1)[0]) or _stems(name)
    return stems[-1] if stems else name


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    return english_stemmer()


@lru_cache(maxsize=20_000)
def _stems(text: str) -> tuple[str, ...]:
    words = ["have" if w in ("has", "had") else w for w in normal_form(text).split()]
    return tuple(_stemmer().stemWords(words))
