"""Learned sparse search: an inverted index over a sparse encoder's vocabulary.

A query's score for a passage is the inner product of the two weight vectors, exact. Postings are
memory-mapped (`indexes.sparse.postings`) and added up term by term by compiled loops
(`indexes.sparse.kernels`); filters are applied while the best are chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from indexes.carried import Allowed, Carried
from indexes.encoders import FloatArray
from indexes.ranking import Ranking
from indexes.sparse.postings import Postings, Terms, write_postings

Columns = npt.NDArray[np.int32]


class SparseIndex:
    """Exact inner-product search over passages numbered from 0. Safe to share between threads."""

    stage = "sparse"

    def __init__(self, postings: Postings) -> None:
        self._postings = postings
        # Scores of a search, all 0 between searches; as many as searches ran at the same time.
        self._idle: list[FloatArray] = []

    @property
    def size(self) -> int:
        """How many passages there are."""
        return self._postings.size

    @classmethod
    def build(
        cls,
        encodings: Iterable[Terms],
        dimensions: int | None,
        folder: Path,
        carried: Carried | None = None,
    ) -> None:
        """Write the postings of passages; see `indexes.sparse.postings.write_postings`."""
        write_postings(encodings, dimensions, folder, carried)

    @classmethod
    def open(cls, folder: Path) -> SparseIndex:
        """Open what `build` wrote, memory-mapped.

        Raises:
            IndexCorruptError: a file is missing or cannot be read.
        """
        return cls(Postings.open(folder))

    def search(self, query: sp.csr_matrix, depth: int, allowed: Allowed | None = None) -> Ranking:
        """The best `depth` rows with a score above 0 for a query of shape (1, dimensions).

        Args:
            allowed: of shape (rows,): which rows may be found; None is all.
        """
        from indexes.sparse import kernels

        postings = self._postings
        columns, values = _known(query, postings.width)
        depth = min(depth, self.size)
        rows = np.empty(depth, dtype=np.int64)
        best = np.empty(depth, dtype=np.float32)
        scores = self._idle.pop() if self._idle else np.zeros(self.size, dtype=np.float32)
        mask = np.zeros(0, dtype=np.bool_) if allowed is None else np.ascontiguousarray(allowed)
        if allowed is not None and len(mask) != self.size:
            raise ValueError(f"a filter over {len(mask)} rows for an index of {self.size}")
        kernels.add_up(scores, postings.starts, postings.rows, postings.weights, columns, values)
        count = kernels.take_best(scores, mask, allowed is not None, rows, best)
        self._idle.append(scores)
        order = np.lexsort((rows[:count], -best[:count]))
        return Ranking(rows[order], best[order])

    def search_many(
        self, queries: sp.csr_matrix, depth: int, allowed: Allowed | None = None
    ) -> list[Ranking]:
        """`search` for every row of a matrix of shape (queries, dimensions)."""
        return [self.search(queries[row], depth, allowed) for row in range(queries.shape[0])]

    def postings(self, column: int) -> tuple[Columns, FloatArray]:
        """The passages that have a term: rows, ascending, and weights."""
        if not 0 <= column < self._postings.width:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        part = slice(int(self._postings.starts[column]), int(self._postings.starts[column + 1]))
        return self._postings.rows[part], self._postings.weights[part]

    def weights_of(self, row: int) -> tuple[Columns, FloatArray]:
        """The terms of a passage: columns, ascending, and weights; looked up in the postings."""
        from indexes.sparse import kernels

        places = np.empty(self._postings.width, dtype=np.int64)
        kernels.find_row(self._postings.starts, self._postings.rows, row, places)
        columns = np.flatnonzero(places >= 0)
        return columns.astype(np.int32), self._postings.weights[places[columns]]


def _known(query: sp.csr_matrix, width: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """A query's columns, ascending, and weights, without terms beyond the vocabulary."""
    columns = np.asarray(query.indices, dtype=np.int64)
    values = np.asarray(query.data, dtype=np.float32)
    inside = columns < width
    columns, values = columns[inside], values[inside]
    order = np.argsort(columns, kind="stable")
    return columns[order], values[order]
