"""What the project uses of FAISS, in one place.

Vectors have length 1, so the nearest by Euclidean distance is the best by inner product. The
inverted file works with Euclidean distances: RaBitQ (Gao and Long, 2024) estimates them better.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.carried import Allowed
from indexes.dense.vector_file import StoredArray
from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.files import write_atomically

# The type stubs that come with FAISS 1.15 lack or misstate half of what is used here.
faiss: Any = import_module("faiss")

METRIC_L2, METRIC_INNER_PRODUCT = int(faiss.METRIC_L2), int(faiss.METRIC_INNER_PRODUCT)
Lists = npt.NDArray[np.int64]
GPU_DEPTH = 2048
"""More rows than this a GPU cannot rank."""
_BLOCK = 16384
_REMEDY = "run `assistant index build` again"


def storage(vectors: StoredArray, metric: int = METRIC_INNER_PRODUCT) -> Any:
    """An exact FAISS index over `vectors` where they lie, mapped or not; nothing is copied."""
    rows, dimensions = vectors.shape
    if vectors.dtype == np.float32:
        index = faiss.IndexFlat(dimensions, metric)
    else:
        index = faiss.IndexScalarQuantizer(dimensions, faiss.ScalarQuantizer.QT_fp16, metric)
    if rows:
        codes = vectors.view(np.uint8).reshape(-1)
        view = faiss.MaybeOwnedVectorUInt8()
        view.is_owned, view.view_data, view.view_size = False, faiss.swig_ptr(codes), codes.size
        index.codes = view
        index.referenced_objects = [vectors]  # FAISS only borrows them
    index.ntotal = rows
    return index


def selector(allowed: Allowed) -> Any:
    """FAISS' own filter for the rows that are true in `allowed`."""
    return faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))


def train(sample: FloatArray, lists: int, seed: int, iterations: int = 10) -> FloatArray:
    """Centroids of shape (lists, dimensions) by k-means; the same sample gives the same ones."""
    clustering = faiss.Kmeans(
        sample.shape[1],
        lists,
        niter=iterations,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=max(1, -(-len(sample) // lists)),
    )
    clustering.train(sample)
    return np.asarray(clustering.centroids, dtype=np.float32)


def nearest(centroids: FloatArray, block: FloatArray) -> tuple[Lists, FloatArray]:
    """For each vector the list of the nearest centroid, and the squared distance to it."""
    distances, lists = _quantizer(centroids).search(np.ascontiguousarray(block), 1)
    return lists[:, 0], distances[:, 0]


def _quantizer(centroids: FloatArray) -> Any:
    quantizer = faiss.IndexFlatL2(centroids.shape[1])
    quantizer.add(np.ascontiguousarray(centroids, dtype=np.float32))
    return quantizer


def write_inverted(path: Path, vectors: StoredArray, lists: Lists, centroids: FloatArray) -> None:
    """Write an inverted file with RaBitQ codes, one bit a dimension, for a fast scan.

    Args:
        lists: of shape (rows,): the list of each row. Those of carried rows are known, so that
            they are not compared with every centroid again.
    """
    quantizer = _quantizer(centroids)
    number, dimensions = centroids.shape
    # The fast-scan index finds lists itself; the plain one takes them, and converts.
    plain = faiss.IndexIVFRaBitQ(quantizer, dimensions, number, METRIC_L2)
    plain.qb = 8
    plain.train(np.ascontiguousarray(centroids))
    for start, block in float_blocks(vectors):
        part = np.ascontiguousarray(lists[start : start + len(block)])
        plain.add_core(len(block), faiss.swig_ptr(block), None, faiss.swig_ptr(part))
    fast = faiss.IndexIVFRaBitQFastScan(plain)
    write_atomically(path, faiss.serialize_index(fast))


def read_index(path: Path, rows: int, resident_limit: int) -> Any:
    """An index that was written to `path`; mapped if it has more bytes than the limit.

    Raises:
        IndexCorruptError: the file is missing, cannot be read, or has not `rows` rows.
    """
    try:
        mapped = path.stat().st_size > resident_limit
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0)
    except (OSError, RuntimeError, MemoryError) as error:
        raise IndexCorruptError(f"{path} is damaged", remedy=_REMEDY) from error
    if index.ntotal != rows:
        raise IndexCorruptError(f"{path} has {index.ntotal} rows, not {rows}", remedy=_REMEDY)
    return index


def centroids_of(inverted: Any) -> FloatArray:
    """The centroids of an inverted file, of shape (lists, dimensions)."""
    return np.asarray(inverted.quantizer.reconstruct_n(0, inverted.nlist), dtype=np.float32)


def lists_of(inverted: Any) -> Lists:
    """The list of every row of an inverted file, of shape (rows,).

    Raises:
        IndexCorruptError: a row is in no list.
    """
    lists = np.full(inverted.ntotal, -1, dtype=np.int64)
    for number in range(inverted.nlist):
        size = inverted.invlists.list_size(number)
        if size:
            rows = faiss.rev_swig_ptr(inverted.invlists.get_ids(number), size)
            lists[rows[(rows >= 0) & (rows < len(lists))]] = number
    if (lists < 0).any():
        raise IndexCorruptError("rows are missing from the inverted file", remedy=_REMEDY)
    return lists


def refined(inverted: Any, vectors: StoredArray) -> Any:
    """An inverted file whose candidates are compared anew by their stored vectors."""
    return faiss.IndexRefine(inverted, storage(vectors, inverted.metric_type))


def refined_parameters(probes: int, factor: float, allowed: Any) -> Any:
    """How a refined inverted file is searched: lists looked at, candidates for each hit."""
    return faiss.IndexRefineSearchParameters(
        k_factor=factor, base_index_params=faiss.SearchParametersIVF(nprobe=probes, sel=allowed)
    )


def flat_parameters(allowed: Any) -> Any:
    """How every row that passes a filter is compared; None: no filter."""
    return None if allowed is None else faiss.SearchParameters(sel=allowed)


def graph_parameters(beam: int, allowed: Any) -> Any:
    """How a graph is searched: nodes that are kept on the way."""
    return faiss.SearchParametersHNSW(efSearch=beam, sel=allowed)


def write_graph(path: Path, vectors: StoredArray, neighbours: int) -> None:
    """Write an HNSW graph (Malkov and Yashunin, 2018) without the vectors, which lie beside it."""
    graph = faiss.IndexHNSWSQ(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, neighbours, METRIC_L2
    )
    for _, block in float_blocks(vectors):
        graph.add(block)
    write_atomically(path, faiss.serialize_index(graph, faiss.IO_FLAG_SKIP_STORAGE))


def read_graph(path: Path, vectors: StoredArray, resident_limit: int) -> Any:
    """A graph that `write_graph` wrote, over its vectors.

    Raises:
        IndexCorruptError: as `read_index`.
    """
    graph = read_index(path, len(vectors), resident_limit)
    exact = storage(vectors, METRIC_L2)
    graph.storage, graph.own_fields = exact, False
    graph.referenced_objects = [exact]  # FAISS only borrows it
    return graph


def float_blocks(vectors: StoredArray) -> Iterator[tuple[int, FloatArray]]:
    """Blocks of rows as contiguous float32, with the row that each begins at."""
    for start in range(0, len(vectors), _BLOCK):
        yield start, np.ascontiguousarray(vectors[start : start + _BLOCK], dtype=np.float32)


def gpus() -> int:
    """How many GPUs FAISS sees: 0 with faiss-cpu."""
    return int(faiss.get_num_gpus()) if hasattr(faiss, "StandardGpuResources") else 0


def on_gpus(vectors: StoredArray, inverted: Any | None, probes: int) -> Any:
    """The index on every GPU there is, rows divided among them.

    RaBitQ's fast scan is made for a CPU: of an inverted file the GPUs get the same lists with
    float16 vectors in them, which need no refinement.
    """
    if inverted is None:
        source = storage(vectors)
    else:
        centroids = centroids_of(inverted)
        quantizer = _quantizer(centroids)
        source = faiss.IndexIVFScalarQuantizer(
            quantizer,
            centroids.shape[1],
            len(centroids),
            faiss.ScalarQuantizer.QT_fp16,
            METRIC_L2,
            False,  # the vectors themselves, not what is left after their centroid
        )
        source.is_trained = True
        source.nprobe = probes
        lists = lists_of(inverted)
        for start, block in float_blocks(vectors):
            part = np.ascontiguousarray(lists[start : start + len(block)])
            source.add_core(len(block), faiss.swig_ptr(block), None, faiss.swig_ptr(part))
    options = faiss.GpuMultipleClonerOptions()
    options.shard = True
    return faiss.index_cpu_to_all_gpus(source, co=options)
