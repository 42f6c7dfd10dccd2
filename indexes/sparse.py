"""Learned sparse search: an inverted index over a sparse encoder's vocabulary.

Postings are three arrays, memory-mapped: where each term's postings begin, their rows, their
weights. A query's score for a passage is the inner product of the two weight vectors, exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from indexes.errors import IndexCorruptError
from indexes.ranking import Ranking, top

_FILES = ("starts.npy", "rows.npy", "weights.npy")


class SparseIndex:
    """Exact inner-product search over passages numbered from 0."""

    stage = "sparse"

    def __init__(
        self, starts: np.ndarray, rows: np.ndarray, weights: np.ndarray, size: int
    ) -> None:
        self._starts, self._rows, self._weights = starts, rows, weights
        self.size = size

    @classmethod
    def build(
        cls,
        encodings: Iterable[tuple[np.ndarray, np.ndarray]],
        dimensions: int | None,
        folder: Path,
    ) -> None:
        """Write the postings of passages given as (columns, weights), in row order.

        `dimensions` None ends the vocabulary at the last term in use.
        """
        folder.mkdir(parents=True, exist_ok=True)
        columns, weights = [], []
        for terms, values in encodings:
            columns.append(terms)
            weights.append(values)
        lengths = np.array([len(terms) for terms in columns], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)])
        flat = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int32)
        values = np.concatenate(weights) if weights else np.zeros(0, dtype=np.float32)
        width = dimensions or (int(flat.max()) + 1 if len(flat) else 1)
        by_term = sp.csr_matrix(
            (values, flat, starts), shape=(len(lengths), width)
        ).tocsc()  # row numbers come out ascending within each term
        np.save(folder / "starts.npy", by_term.indptr.astype(np.int64))
        np.save(folder / "rows.npy", by_term.indices.astype(np.int32))
        np.save(folder / "weights.npy", by_term.data.astype(np.float32))
        np.save(folder / "size.npy", np.array([len(lengths)]))

    @classmethod
    def open(cls, folder: Path) -> SparseIndex:
        """Open what `build` wrote, memory-mapped.

        Raises:
            IndexCorruptError: a file is missing or cannot be read.
        """
        try:
            arrays = [np.load(folder / name, mmap_mode="r") for name in _FILES]
            size = int(np.load(folder / "size.npy")[0])
        except (OSError, ValueError, EOFError) as error:
            raise IndexCorruptError(
                f"the sparse index in {folder} is damaged: {error}",
                remedy="run `assistant index build` again",
            ) from error
        return cls(arrays[0], arrays[1], arrays[2], size)

    def search(self, query: sp.csr_matrix, depth: int) -> Ranking:
        """The best `depth` rows for a query of shape (1, dimensions)."""
        scores = np.zeros(self.size, dtype=np.float32)
        for column, weight in zip(query.indices, query.data, strict=True):
            if column + 1 >= len(self._starts):
                continue  # no passage has a term this far into the vocabulary
            begin, end = int(self._starts[column]), int(self._starts[column + 1])
            # A term occurs once per row, so no row is repeated within the slice.
            scores[self._rows[begin:end]] += weight * self._weights[begin:end]
        return top(scores, depth)
