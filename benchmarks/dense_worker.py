"""One measured process of `benchmarks.dense`: builds or searches one kind of index.

    python -m benchmarks.dense_worker build KIND FOLDER VECTORS
    python -m benchmarks.dense_worker update KIND FOLDER VECTORS
    python -m benchmarks.dense_worker search KIND FOLDER QUERIES EXACT

KIND is one of ours ("ours", or "ours-" and a kind of `DenseChoice`) or FAISS' own "flat", "hnsw".
Prints one JSON object. Memory is that of this process, so nothing else is measured with it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from indexes.carried import Carried
from indexes.dense.index import DenseIndex
from indexes.dense.kinds import DenseChoice
from indexes.encoders import FloatArray

faiss: Any = import_module("faiss")
_DEPTH = 10
_BLOCK = 16384


def memory() -> dict[str, float]:
    """Resident memory of this process in MB: all, its own, that of mapped files, and the peak."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    names = {"resident": "VmRSS", "own": "RssAnon", "mapped": "RssFile", "peak": "VmHWM"}
    return {name: int(lines[field].split()[0]) / 1000 for name, field in names.items()}


def _choice(kind: str) -> DenseChoice:
    settings: dict[str, Any] = {}
    for part in kind.split("-")[1:]:
        name, _, value = part.partition("=")
        settings.update({name: int(value)} if value else {"kind": name})
    return DenseChoice(**settings)


def _rows(vectors: FloatArray, rows: np.ndarray) -> Iterator[FloatArray]:
    for start in range(0, len(rows), _BLOCK):
        yield from vectors[rows[start : start + _BLOCK]]


def build(kind: str, folder: Path, vectors: FloatArray) -> None:
    """Build from a mapped array, block by block."""
    if kind.startswith("ours"):
        every = np.arange(len(vectors))
        DenseIndex.build(_rows(vectors, every), vectors.shape[1], folder, choice=_choice(kind))
        return
    folder.mkdir()
    name = {"flat": "Flat", "hnsw": "HNSW32"}[kind]
    index = faiss.index_factory(vectors.shape[1], name, faiss.METRIC_INNER_PRODUCT)
    for start in range(0, len(vectors), _BLOCK):
        index.add(np.ascontiguousarray(vectors[start : start + _BLOCK]))
    faiss.write_index(index, str(folder / "index.faiss"))


def update(kind: str, folder: Path, vectors: FloatArray) -> None:
    """Build again with one row of a hundred exchanged for another."""
    origin = np.arange(len(vectors))
    origin[::100] = -1
    new = np.flatnonzero(origin < 0)[::-1]  # other vectors than those that stood there
    target = folder.with_name(f"{folder.name}.updated")
    DenseIndex.build(
        _rows(vectors, new), None, target, Carried(folder, origin), choice=_choice(kind)
    )


def _searcher(kind: str, folder: Path) -> Callable[[FloatArray], np.ndarray]:
    """Takes queries of shape (n, dimensions), gives rows of shape (n, 10)."""
    if kind.startswith("ours"):
        ours = DenseIndex.open(folder)
        return lambda queries: np.stack([r.rows for r in ours.search_many(queries, _DEPTH)])
    peer = faiss.read_index(str(folder / "index.faiss"))
    if kind == "hnsw":
        peer.hnsw.efSearch = 64
    return lambda queries: np.asarray(peer.search(queries, _DEPTH)[1])


def search(kind: str, folder: Path, queries: FloatArray, exact: np.ndarray) -> dict[str, float]:
    """Recall, queries per second of processor time alone and in one batch, memory."""
    before = memory()["resident"]
    find = _searcher(kind, folder)
    opened = memory()["resident"]
    found = find(queries)  # also warms up: what a search touches is read from the disk now
    recall = [len(set(own) & set(right)) / _DEPTH for own, right in zip(found, exact, strict=True)]
    alone = queries if kind != "flat" else queries[:100]
    started = time.process_time()
    for row in range(len(alone)):
        find(alone[row : row + 1])
    single = len(alone) / (time.process_time() - started)
    started = time.process_time()
    find(queries)
    batch = len(queries) / (time.process_time() - started)
    return {
        "recall": float(np.mean(recall)),
        "single": single,
        "batch": batch,
        "before": before,
        "opened": opened,
        **memory(),
    }


def main(task: str, kind: str, folder: Path, *files: Path) -> dict[str, float]:
    arrays = [np.load(file, mmap_mode="r") for file in files]
    if task == "search":
        return search(kind, folder, np.ascontiguousarray(arrays[0]), np.asarray(arrays[1]))
    started, worked = time.monotonic(), time.process_time()
    (build if task == "build" else update)(kind, folder, arrays[0])
    return {
        "seconds": time.monotonic() - started,
        "cpu": time.process_time() - worked,
        **memory(),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(Path, sys.argv[3:]))))
