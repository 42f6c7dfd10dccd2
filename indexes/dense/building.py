"""Writing a dense index: vectors in one file, and beside them what finds them fast.

    dense.json     what it is (`kinds.Description`), written last
    vectors.npy    the vectors in row order: float32 in a flat index, else float16
    ivf.faiss      inverted file of a larger index; hnsw.faiss where a graph was asked for

Everything is made from the float16 vectors where these are what is stored, so that a carried
build, which has no others of the old rows, writes what a build of all rows would write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from indexes.carried import Carried, RowArray
from indexes.dense import faiss_engine as engine
from indexes.dense.kinds import DenseChoice, Description, Training
from indexes.dense.vector_file import StoredArray, VectorFile, blocks_of, merged, read_vectors
from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError

VECTORS, INVERTED, GRAPH = "vectors.npy", "ivf.faiss", "hnsw.faiss"
_NEIGHBOURS = 32


@dataclass(frozen=True, slots=True)
class Parts:
    """The files of a dense index, opened: description, vectors, and its FAISS file if any."""

    description: Description
    vectors: StoredArray
    fast: Any | None

    @classmethod
    def open(cls, folder: Path, resident_limit: int) -> Parts:
        """Open a folder that `write` wrote; files of more bytes than the limit are mapped.

        Raises:
            IndexCorruptError: a file is missing, cannot be read, or does not fit the others.
        """
        said = Description.read(folder)
        vectors = read_vectors(folder / VECTORS, resident_limit)
        if vectors.shape != (said.rows, said.dimensions) or vectors.dtype != said.stored:
            raise IndexCorruptError(
                f"the vectors in {folder} are not those that it describes",
                remedy="run `assistant index build` again",
            )
        fast = None
        if said.kind == "ivf":
            fast = engine.read_index(folder / INVERTED, said.rows, resident_limit)
        elif said.kind == "hnsw":
            fast = engine.read_graph(folder / GRAPH, vectors, resident_limit)
        if fast is not None and fast.d != said.dimensions:
            raise IndexCorruptError(
                f"the vectors in {folder} have {said.dimensions} dimensions, its index {fast.d}",
                remedy="run `assistant index build` again",
            )
        return cls(said, vectors, fast)


def write(
    vectors: Iterable[FloatArray],
    dimensions: int | None,
    folder: Path,
    carried: Carried | None,
    choice: DenseChoice,
) -> Description:
    """Write the index of the carried rows and of `vectors`, those of the new rows in row order.

    Raises:
        IndexCorruptError: the index that is carried over is damaged.
        IndexingError: there are not as many vectors as new rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    old = Parts.open(carried.folder, 0) if carried is not None else None
    if carried is None or old is None or old.description.rows == 0:
        written = _write_new(iter(vectors), dimensions, folder, choice)
    else:
        written = _write_merged(iter(vectors), folder, old, carried.origin, choice)
    described = written
    if written.kind != "flat":
        stored = read_vectors(folder / VECTORS, 0)
        if written.kind == "hnsw":
            engine.write_graph(folder / GRAPH, stored, _NEIGHBOURS)
        else:
            origin = carried.origin if carried is not None else None
            described = _write_inverted(folder, written, stored, old, origin, choice)
    described.write(folder)
    return described


def _write_new(
    vectors: Iterator[FloatArray], dimensions: int | None, folder: Path, choice: DenseChoice
) -> Description:
    # How many there are shows only at the end: those of the largest flat index are waited for.
    first = list(islice(blocks_of(islice(vectors, choice.flat_limit + 1)), None))
    kind = choice.kind_for(sum(map(len, first)), None)
    size = dimensions or (first[0].shape[1] if first else 1)
    stored = "float32" if kind == "flat" else "float16"
    with VectorFile(folder / VECTORS, size, stored) as file:
        for block in chain(first, blocks_of(vectors)):
            file.write(block)
    return Description(kind, file.rows, size, stored)


def _write_merged(
    vectors: Iterator[FloatArray], folder: Path, old: Parts, origin: RowArray, choice: DenseChoice
) -> Description:
    kind = choice.kind_for(len(origin), old.description.kind)
    # What was rounded once stays so: rows of two precisions in one index would not be comparable.
    stored = "float32" if kind == "flat" and old.vectors.dtype == np.float32 else "float16"
    size = old.description.dimensions
    with VectorFile(folder / VECTORS, size, stored) as file:
        for block in merged(old.vectors, origin, vectors):
            file.write(block)
    return Description(kind, len(origin), size, stored)


def _write_inverted(
    folder: Path,
    written: Description,
    vectors: StoredArray,
    old: Parts | None,
    origin: RowArray | None,
    choice: DenseChoice,
) -> Description:
    kept = None
    if old is not None and origin is not None and old.description.kind == "ivf":
        kept = _kept_centroids(vectors, old, origin, choice)
    centroids, lists, training = kept if kept is not None else _trained(vectors, choice)
    engine.write_inverted(folder / INVERTED, vectors, lists, centroids)
    return Description(
        "ivf",
        written.rows,
        written.dimensions,
        written.stored,
        len(centroids),
        min(choice.probes, len(centroids)),
        choice.factor,
        training,
    )


def _kept_centroids(
    vectors: StoredArray, old: Parts, origin: RowArray, choice: DenseChoice
) -> tuple[FloatArray, engine.Lists, Training] | None:
    """Centroids of the old index and everyone's list; None where they no longer fit."""
    assert old.description.training is not None
    assert old.fast is not None
    centroids = engine.centroids_of(old.fast)
    lists = np.empty(len(origin), dtype=np.int64)
    lists[origin >= 0] = engine.lists_of(old.fast)[origin[origin >= 0]]
    new = np.flatnonzero(origin < 0)
    total = 0.0
    for start in range(0, len(new), 16384):
        rows = new[start : start + 16384]
        block = np.ascontiguousarray(vectors[rows], dtype=np.float32)
        lists[rows], distances = engine.nearest(centroids, block)
        total += float(distances.sum(dtype=np.float64))
    training = old.description.training
    if len(new):
        training = training.with_added(len(new), total / len(new))
    return None if training.drifted(len(origin), choice) else (centroids, lists, training)


def _trained(
    vectors: StoredArray, choice: DenseChoice
) -> tuple[FloatArray, engine.Lists, Training]:
    """New centroids, trained on a sample of all rows, and everyone's list."""
    rows = len(vectors)
    number = choice.lists_for(rows)
    wanted = min(rows, number * choice.sample)
    chosen = np.random.default_rng(choice.seed).choice(rows, wanted, replace=False)
    sample = np.ascontiguousarray(vectors[np.sort(chosen)], dtype=np.float32)
    centroids = engine.train(sample, number, choice.seed)
    lists = np.empty(rows, dtype=np.int64)
    total = 0.0
    for start, block in engine.float_blocks(vectors):
        lists[start : start + len(block)], distances = engine.nearest(centroids, block)
        total += float(distances.sum(dtype=np.float64))
    return centroids, lists, Training(rows, wanted, total / max(1, rows))
