"""Choosing among rankings on some queries and reporting on others.

Every figure is held out: a query's value comes from a choice that has not seen the query (k-fold)
or not seen its whole collection (leave one collection out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.errors import UsageError
from eval.ranked_lists import CUTS, Floats
from eval.significance import paired_randomisation

Ints = npt.NDArray[np.int64]
# Choices are made by the first of `CUTS`: nDCG@5.
CHOSEN_BY = 0
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One collection: means of held-out values, beside the default's on the same queries.

    `ndcg` and `default` are by cut (5, 10); `p` is of the difference at 5.
    """

    collection: str
    queries: int
    ndcg: tuple[float, ...]
    default: tuple[float, ...]
    p: float

    @property
    def difference(self) -> float:
        """At 5."""
        return self.ndcg[CHOSEN_BY] - self.default[CHOSEN_BY]


@dataclass(frozen=True, slots=True)
class Validation:
    """What choosing by one scheme gives on queries that the choice has not seen.

    Attributes:
        scheme: "folds" or "leave one out".
        chosen: label of the choice for each fold, or for each collection that was left out.
    """

    scheme: str
    chosen: tuple[str, ...]
    collections: tuple[HeldOut, ...]

    @property
    def difference(self) -> float:
        """Mean over the collections of the difference to the default at 5."""
        return float(np.mean([c.difference for c in self.collections]))

    @property
    def better(self) -> tuple[str, ...]:
        """Collections with a significantly higher nDCG@5."""
        return tuple(
            c.collection for c in self.collections if c.difference > 0 and c.p < SIGNIFICANT
        )

    @property
    def worse(self) -> tuple[str, ...]:
        """Collections with a significantly lower nDCG@5."""
        return tuple(
            c.collection for c in self.collections if c.difference < 0 and c.p < SIGNIFICANT
        )


def folds_of(groups: Sequence[str], folds: int, seed: int) -> Ints:
    """A fold for each query: queries of one group share it, and folds are nearly equal in size.

    Raises:
        UsageError: fewer than two folds, or more than there are groups.
    """
    names = sorted(set(groups))
    if not 2 <= folds <= len(names):
        raise UsageError(f"{folds} folds: choose 2 to {len(names)} (independent queries)")
    sizes = dict.fromkeys(names, 0)
    for group in groups:
        sizes[group] += 1
    np.random.default_rng(seed).shuffle(names)
    filled = [0] * folds
    fold: dict[str, int] = {}
    for name in sorted(names, key=lambda n: -sizes[n]):  # stable: shuffled within a size
        fold[name] = filled.index(min(filled))
        filled[fold[name]] += sizes[name]
    return np.array([fold[group] for group in groups], dtype=np.int64)


def cross_validated(
    names: Sequence[str],
    tables: Sequence[Floats],
    defaults: Sequence[Floats],
    folds: Sequence[Ints],
    labels: Sequence[str],
) -> Validation:
    """Choose on all folds but one, over all collections together; report on that one.

    Args:
        tables: of each collection, of shape (queries, candidates, cuts).
        defaults: what to compare with, of shape (queries, cuts).
        folds: of each collection, the fold of each query.
        labels: of the candidates; where several are equally good, the first is chosen.
    """
    held = [np.zeros((len(table), len(CUTS))) for table in tables]
    chosen = []
    for fold in range(1 + max(int(f.max()) for f in folds)):
        training = [
            table[own != fold, :, CHOSEN_BY] for table, own in zip(tables, folds, strict=True)
        ]
        best = _choice([part for part in training if len(part)])
        chosen.append(labels[best])
        for values, table, own in zip(held, tables, folds, strict=True):
            values[own == fold] = table[own == fold, best]
    return Validation("folds", tuple(chosen), _compared(names, defaults, held))


def left_out(
    names: Sequence[str],
    tables: Sequence[Floats],
    defaults: Sequence[Floats],
    labels: Sequence[str],
) -> Validation:
    """Choose on the other collections, report on the one left out; arguments as above.

    Raises:
        UsageError: there is only one collection.
    """
    if len(tables) < 2:
        raise UsageError("leaving one collection out needs at least two")
    held, chosen = [], []
    for position, table in enumerate(tables):
        others = [t[:, :, CHOSEN_BY] for i, t in enumerate(tables) if i != position]
        best = _choice(others)
        chosen.append(labels[best])
        held.append(table[:, best])
    return Validation("leave one out", tuple(chosen), _compared(names, defaults, held))


def _choice(training: Sequence[Floats]) -> int:
    """The candidate with the highest mean over the collections of its mean over their queries."""
    means = np.mean([values.mean(axis=0) for values in training], axis=0)
    return int(np.flatnonzero(means >= means.max() - 1e-12)[0])  # equal up to rounding is equal


def _compared(
    names: Sequence[str], defaults: Sequence[Floats], held: Sequence[Floats]
) -> tuple[HeldOut, ...]:
    return tuple(
        HeldOut(
            name,
            len(default),
            tuple(values.mean(axis=0).tolist()),
            tuple(default.mean(axis=0).tolist()),
            paired_randomisation(values[:, CHOSEN_BY].tolist(), default[:, CHOSEN_BY].tolist()),
        )
        for name, default, values in zip(names, defaults, held, strict=True)
    )
