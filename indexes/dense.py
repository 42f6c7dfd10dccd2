"""Dense search: FAISS, exact (flat inner product), on a GPU where faiss-gpu finds one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.ranking import Ranking

_FILE = "flat.faiss"


class DenseIndex:
    """Cosine search over unit vectors numbered from 0."""

    stage = "dense"

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    @property
    def size(self) -> int:
        return int(self._engine.ntotal)

    @classmethod
    def build(cls, vectors: Iterable[FloatArray], dimensions: int | None, folder: Path) -> None:
        """Write an index of vectors of shape (dimensions,), in row order.

        `dimensions` None takes the first vector's.
        """
        import faiss

        folder.mkdir(parents=True, exist_ok=True)
        rest = iter(vectors)
        first = next(rest, None)
        size = dimensions or (len(first) if first is not None else 1)
        engine = faiss.IndexFlatIP(size)
        block: list[FloatArray] = [] if first is None else [first]
        for vector in rest:
            block.append(vector)
            if len(block) == 4096:
                engine.add(np.stack(block))
                block = []
        if block:
            engine.add(np.stack(block))
        faiss.write_index(engine, str(folder / _FILE))

    @classmethod
    def open(cls, folder: Path) -> DenseIndex:
        """Open what `build` wrote.

        Raises:
            IndexCorruptError: the file is missing or cannot be read.
        """
        import faiss

        try:
            engine = faiss.read_index(str(folder / _FILE))
        except RuntimeError as error:
            raise IndexCorruptError(
                f"the dense index in {folder} is damaged",
                remedy="run `assistant index build` again",
            ) from error
        if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
            engine = faiss.index_cpu_to_all_gpus(engine)
        return cls(engine)

    def vectors(self, rows: Sequence[int]) -> FloatArray:
        """The stored vectors of `rows`, of shape (len(rows), dimensions)."""
        found = [self._engine.reconstruct(int(row)) for row in rows]
        return np.stack(found).astype(np.float32)

    def search(self, query: FloatArray, depth: int) -> Ranking:
        """The best `depth` rows for a unit vector of shape (dimensions,)."""
        if self.size == 0:
            return Ranking.empty()
        scores, rows = self._engine.search(query[None, :], min(depth, self.size))
        # FAISS leaves the order of equal scores open; a fixed order keeps answers reproducible.
        order = np.lexsort((rows[0], -scores[0]))
        return Ranking(rows[0][order].astype(np.int64), scores[0][order].astype(np.float32))
