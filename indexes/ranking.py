"""A ranked list of rows: what every retriever returns and fusion takes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.encoders import FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows, best first, with their scores; both of shape (k,). Equal scores: lower row first."""

    rows: IntArray
    scores: FloatArray

    @classmethod
    def empty(cls) -> Ranking:
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))

    def __len__(self) -> int:
        return len(self.rows)

    def without(self, rows: Collection[int], depth: int) -> Ranking:
        """The best `depth` of those that are not among `rows`."""
        kept = ~np.isin(self.rows, list(rows))
        return Ranking(self.rows[kept][:depth], self.scores[kept][:depth])


def top(scores: FloatArray, depth: int, *, above: float = 0.0) -> Ranking:
    """The `depth` best rows of a score per row, those above `above` only.

    Ties are broken by row, so that the same index always gives the same list: candidates equal
    to the last one taken are all looked at before the cut.
    """
    candidates = np.flatnonzero(scores > above)
    if len(candidates) > depth:
        threshold = np.partition(scores[candidates], -depth)[-depth]
        candidates = candidates[scores[candidates] >= threshold]
    order = np.lexsort((candidates, -scores[candidates]))[:depth]
    rows = candidates[order].astype(np.int64)
    return Ranking(rows, scores[rows].astype(np.float32))
