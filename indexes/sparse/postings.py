"""Postings of a sparse index on the disk: written from passages, merged with older ones.

Three arrays, ordered by term and within a term by row: where each term's postings begin, of shape
(terms + 1,), their rows and their weights, of shape (postings,). Everything is written through
memory-mapped files in bounded steps, so an index may be larger than the memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from indexes.carried import Carried
from indexes.errors import IndexCorruptError

Terms = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]
"""One passage: its columns and their weights, both of shape (terms of the passage,)."""

# Postings that are held in memory at once while an index is written; about 40 bytes each.
_STEP = 4_000_000


@dataclass(frozen=True, slots=True)
class Postings:
    """What the files hold; `size` is the number of passages."""

    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    size: int

    @classmethod
    def open(cls, folder: Path) -> Postings:
        """Open the files, memory-mapped.

        Raises:
            IndexCorruptError: a file is missing, cut off, or does not fit the others.
        """
        try:
            starts = np.asarray(np.load(folder / "starts.npy"))
            # A plain array over the map: compiled code takes no subclasses.
            rows = np.asarray(np.load(folder / "rows.npy", mmap_mode="r"))
            weights = np.asarray(np.load(folder / "weights.npy", mmap_mode="r"))
            size = int(np.load(folder / "size.npy")[0])
            whole = (
                starts.dtype == np.dtype(np.int64)
                and rows.dtype == np.dtype(np.int32)
                and weights.dtype == np.dtype(np.float32)
                and starts[0] == 0
                and len(rows) == len(weights) == starts[-1]
                and bool((np.diff(starts) >= 0).all())
            )
        except (OSError, ValueError, EOFError, IndexError) as error:
            raise _damaged(folder, str(error)) from error
        if not whole:
            raise _damaged(folder, "its files do not fit each other")
        return cls(starts, rows, weights, size)

    @property
    def width(self) -> int:
        """How many terms there are."""
        return len(self.starts) - 1


def write_postings(
    passages: Iterable[Terms], dimensions: int | None, folder: Path, carried: Carried | None = None
) -> None:
    """Write the postings of a generation; the same bytes with `carried` as without.

    Args:
        passages: the new ones, in row order; without `carried` that is all.
        dimensions: terms of the vocabulary; None ends it at the last term in use.

    Raises:
        IndexCorruptError: the carried postings are damaged.
        ValueError: the passages are not as many as the new rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if carried is None or not carried.kept:
        _write_new(passages, dimensions, folder, None if carried is None else carried.new)
        return
    beside = folder / "new.partial"
    beside.mkdir(exist_ok=True)
    try:
        _write_new(passages, dimensions, beside, carried.new)
        _merge(Postings.open(carried.folder), Postings.open(beside), carried, dimensions, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


# -- new passages -----------------------------------------------------------------------------


def _write_new(
    passages: Iterable[Terms],
    dimensions: int | None,
    folder: Path,
    numbers: npt.NDArray[np.int64] | None,
) -> None:
    """Passages to postings; `numbers` are their rows, None counts from 0."""
    by_row = folder / "columns.partial", folder / "weights.partial"
    try:
        lengths = _spill(passages, *by_row)
        if numbers is None:
            numbers = np.arange(len(lengths), dtype=np.int64)
        if len(numbers) != len(lengths):
            raise ValueError(f"{len(lengths)} passages for {len(numbers)} new rows")
        columns, weights = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        if lengths.sum():  # an empty file cannot be mapped
            columns = np.memmap(by_row[0], dtype=np.int32, mode="r")
            weights = np.memmap(by_row[1], dtype=np.float32, mode="r")
        width = dimensions or max(int(columns.max(initial=0)) + 1, 1)
        counts = np.zeros(width, dtype=np.int64)
        for begin in range(0, len(columns), _STEP):
            counts += np.bincount(columns[begin : begin + _STEP], minlength=width)
        output = _Output(folder, counts)
        cursor = output.starts[:-1].copy()
        for first, last, offsets in _steps(lengths):
            part = slice(offsets[0], offsets[-1])
            # Turning it over leaves row numbers ascending within each term.
            turned = sp.csr_matrix(
                (weights[part], columns[part], offsets - offsets[0]), shape=(last - first, width)
            ).tocsc()
            own = np.diff(turned.indptr).astype(np.int64)
            places = np.arange(len(turned.data)) + np.repeat(cursor - turned.indptr[:-1], own)
            output.rows[places] = numbers[first:last][turned.indices]
            output.weights[places] = turned.data
            cursor += own
        # As many rows as there are, whether they have terms or not; of the new ones alone when
        # they are merged with others, which know better.
        output.close(len(lengths) if not len(numbers) else int(numbers[-1]) + 1)
    finally:
        for path in by_row:
            path.unlink(missing_ok=True)


def _spill(passages: Iterable[Terms], columns: Path, weights: Path) -> npt.NDArray[np.int64]:
    """Write passages one behind the other; returns how many terms each has."""
    lengths: list[int] = []
    with columns.open("wb") as column_file, weights.open("wb") as weight_file:
        for terms, values in passages:
            lengths.append(len(terms))
            column_file.write(np.ascontiguousarray(terms, dtype=np.int32).data)
            weight_file.write(np.ascontiguousarray(values, dtype=np.float32).data)
    return np.array(lengths, dtype=np.int64)


def _steps(
    lengths: npt.NDArray[np.int64],
) -> Iterator[tuple[int, int, npt.NDArray[np.int64]]]:
    """Ranges of rows (first, last + 1) of bounded size, with where their postings begin."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    first = 0
    while first < len(lengths):
        last = int(np.searchsorted(offsets, offsets[first] + _STEP, side="right")) - 1
        last = max(last, first + 1)
        yield first, last, offsets[first : last + 1]
        first = last


# -- with what was there before ---------------------------------------------------------------


def _merge(
    old: Postings, new: Postings, carried: Carried, dimensions: int | None, folder: Path
) -> None:
    """Old postings under their new rows, with the new ones among them."""
    row_of = np.full(old.size, -1, dtype=np.int64)  # old row → new row
    kept = np.flatnonzero(carried.origin >= 0)
    row_of[carried.origin[kept]] = kept
    size = len(carried.origin)
    widest = max(old.width, new.width)
    counts = np.zeros(widest, dtype=np.int64)
    for first, last in _term_steps(old, new, widest):
        terms, rows, _ = _taken(old, first, last, row_of)
        counts[first:last] = np.bincount(terms, minlength=last - first)
    counts[: new.width] += np.diff(new.starts)
    used = np.flatnonzero(counts)
    width = dimensions or (int(used[-1]) + 1 if len(used) else 1)
    output = _Output(folder, counts[:width])
    identity = np.arange(size, dtype=np.int64)
    done = 0
    for first, last in _term_steps(old, new, widest):
        parts = [_taken(old, first, last, row_of), _taken(new, first, last, identity)]
        terms, rows, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        keys = terms * size + rows
        if len(keys) > 1 and bool((np.diff(keys) < 0).any()):
            order = np.argsort(keys, kind="stable")  # two ascending runs: one linear merge
            rows, weights = rows[order], weights[order]
        output.rows[done : done + len(rows)] = rows
        output.weights[done : done + len(rows)] = weights
        done += len(rows)
    output.close(size)


def _term_steps(old: Postings, new: Postings, width: int) -> Iterator[tuple[int, int]]:
    """Ranges of terms (first, last + 1) with a bounded number of postings."""
    ends = sum(
        np.concatenate([p.starts[1:], np.full(width - p.width, p.starts[-1])]) for p in (old, new)
    )
    assert isinstance(ends, np.ndarray)
    first, done = 0, 0
    while first < width:
        last = max(int(np.searchsorted(ends, done + _STEP, side="right")), first + 1)
        yield first, last
        first, done = last, int(ends[last - 1])


def _taken(
    postings: Postings, first: int, last: int, row_of: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Postings of terms first … last - 1 whose row goes on: term - first, new row, weight."""
    first, last = min(first, postings.width), min(last, postings.width)
    starts = postings.starts[first : last + 1]
    part = slice(int(starts[0]), int(starts[-1]))
    terms = np.repeat(np.arange(last - first, dtype=np.int64), np.diff(starts))
    rows = row_of[postings.rows[part]]
    weights = postings.weights[part]
    goes_on = rows >= 0
    if goes_on.all():
        return terms, rows, weights
    return terms[goes_on], rows[goes_on], weights[goes_on]


class _Output:
    """The files of an index while they are written."""

    def __init__(self, folder: Path, counts: npt.NDArray[np.int64]) -> None:
        self._folder = folder
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        total = int(self.starts[-1])
        self.rows = self._array("rows.npy", np.int32, total)
        self.weights = self._array("weights.npy", np.float32, total)

    def _array(self, name: str, dtype: Any, length: int) -> Any:
        path = self._folder / name
        if not length:  # nothing cannot be mapped
            np.save(path, np.zeros(0, dtype=dtype))
            return np.zeros(0, dtype=dtype)
        return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(length,))

    def close(self, size: int) -> None:
        for array in (self.rows, self.weights):
            if isinstance(array, np.memmap):
                array.flush()
        np.save(self._folder / "starts.npy", self.starts)
        np.save(self._folder / "size.npy", np.array([size]))


def _damaged(folder: Path, reason: str) -> IndexCorruptError:
    return IndexCorruptError(
        f"the sparse index in {folder} is damaged: {reason}",
        remedy="run `assistant index build` again",
    )
