"""Vectors of an index in one `.npy` file, written as a stream and read as a memory map.

A plain array file keeps the vectors readable without FAISS, lets a new generation copy rows of
the old one without decoding them, and lets FAISS search the mapped bytes where they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.carried import RowArray
from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError, IndexingError

StoredArray = npt.NDArray[np.float32] | npt.NDArray[np.float16]
BLOCK = 4096
"""Rows that are held in memory at a time while a file is written."""


class VectorFile:
    """Writes rows of float32 or float16 one block after the other; use it in a `with`.

    Args:
        path: the file to be written.
        dimensions: length of a row.
        stored: "float32" or "float16".
    """

    def __init__(self, path: Path, dimensions: int, stored: str) -> None:
        self.rows = 0
        self._dimensions, self._type = dimensions, np.dtype(stored)
        self._file = path.open("wb")
        self._start = self._write_header()

    def __enter__(self) -> VectorFile:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.seek(0)
            if self._write_header() != self._start:
                raise IndexingError("the header of the vector file grew while it was written")
        finally:
            self._file.close()

    def write(self, block: npt.NDArray[Any]) -> None:
        """Append a block of shape (rows, dimensions)."""
        self._file.write(np.ascontiguousarray(block, dtype=self._type).data)
        self.rows += len(block)

    def _write_header(self) -> int:
        # numpy leaves room in a header for the first axis to grow, so that it can be written
        # anew in its place once the number of rows is known.
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._type),
                "fortran_order": False,
                "shape": (self.rows, self._dimensions),
            },
        )
        return self._file.tell()


def read_vectors(path: Path, resident_limit: int) -> StoredArray:
    """The rows of a vector file, of shape (rows, dimensions).

    Args:
        resident_limit: a file of more bytes than this is mapped, so that only what a search
            touches is in memory; a smaller one is read.

    Raises:
        IndexCorruptError: the file is missing, cut short or no such file.
    """
    try:
        mapped = path.stat().st_size > resident_limit
        vectors: StoredArray = np.load(path, mmap_mode="r" if mapped else None)
    except (OSError, ValueError, EOFError) as error:
        raise IndexCorruptError(
            f"the vectors in {path} are damaged: {error}",
            remedy="run `assistant index build` again",
        ) from error
    if vectors.ndim != 2 or vectors.dtype not in (np.float32, np.float16):
        raise IndexCorruptError(
            f"{path} holds no vectors", remedy="run `assistant index build` again"
        )
    return vectors


def blocks_of(vectors: Iterable[FloatArray], rows: int = BLOCK) -> Iterator[FloatArray]:
    """Single vectors as blocks of shape (≤ rows, dimensions)."""
    stream = iter(vectors)
    while block := list(islice(stream, rows)):
        yield np.stack(block).astype(np.float32, copy=False)


def merged(
    old: StoredArray, origin: RowArray, new: Iterator[FloatArray]
) -> Iterator[npt.NDArray[Any]]:
    """Blocks of the rows of `origin`: from `old` where it names a row, else the next of `new`.

    Raises:
        IndexingError: `new` has fewer or more vectors than `origin` has new rows.
    """
    for start in range(0, len(origin), BLOCK):
        part = origin[start : start + BLOCK]
        missing = np.flatnonzero(part < 0)
        # A block of old rows stays in the type that it has: nothing is decoded or rounded twice.
        block = np.empty((len(part), old.shape[1]), dtype=np.float32 if len(missing) else old.dtype)
        block[part >= 0] = old[part[part >= 0]]
        if len(missing):
            added = list(islice(new, len(missing)))
            if len(added) != len(missing):
                raise IndexingError("fewer vectors than new rows were given to the dense index")
            block[missing] = np.stack(added)
        yield block
    if next(new, None) is not None:
        raise IndexingError("more vectors than new rows were given to the dense index")
