"""A sample of an index's encodings, made again and compared with what is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from indexes.dense.index import DenseIndex
from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.manifest import STORE_FILE, Manifest
from indexes.sparse.index import SparseIndex
from indexes.store import PassageStore

_SAMPLE = 8
# The same text in another batch differs in the last bits; a damaged vector differs far more.
_TOLERANCE = 1e-3


def sampled_texts(folder: Path, manifest: Manifest) -> tuple[list[int], list[str]]:
    """A few rows, evenly spread, and the texts that were encoded for them."""
    spread = np.linspace(0, manifest.passages - 1, min(_SAMPLE, manifest.passages))
    rows = [int(row) for row in spread]
    store = PassageStore(folder / manifest.generation / STORE_FILE)
    try:
        return rows, [passage.indexed_text for passage in store.by_rows(rows)]
    finally:
        store.close()


def compare_dense(place: Path, rows: list[int], encoded: FloatArray) -> None:
    """Compare stored vectors with `encoded`, of shape (rows, dimensions).

    Raises:
        IndexCorruptError: they differ.
    """
    worst = float(np.abs(DenseIndex.open(place).vectors(rows) - encoded).max())
    if worst > _TOLERANCE:
        raise IndexCorruptError(
            f"vectors stored in {place.name}/ differ from encoded ones by {worst:.4f}"
        )


def compare_sparse(place: Path, rows: list[int], encoded: sp.csr_matrix, passages: int) -> None:
    """Compare what a search by a passage's own weights scores it, with the same inner product.

    The postings are by term, so a passage's stored row is not read but asked for: searched with
    its own encoding w, it scores w·w where the stored weights equal w.

    Raises:
        IndexCorruptError: they differ.
    """
    index = SparseIndex.open(place)
    for position, row in enumerate(rows):
        weights = encoded[position]
        expected = float(weights.multiply(weights).sum())
        allowed = np.zeros(passages, dtype=np.bool_)
        allowed[row] = True
        ranking = index.search(weights, 1, allowed)
        found = float(ranking.scores[0]) if len(ranking) else 0.0
        if abs(found - expected) > _TOLERANCE * max(expected, 1.0):
            raise IndexCorruptError(
                f"weights stored in {place.name}/ for row {row} give {found:.4f}, "
                f"encoded ones {expected:.4f}"
            )
