"""Dense search over unit vectors: FAISS, exact while small, approximate and refined above.

FAISS proposes rows; scores are computed here, from the stored vectors, one row at a time. So a
row's score does not depend on the kind of index, on the batch that the query came in, or on a
GPU, and rows with equal vectors have equal scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.carried import Allowed, Carried
from indexes.dense import faiss_engine as engine
from indexes.dense.building import Parts, write
from indexes.dense.kinds import DenseChoice, Description
from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.ranking import IntArray, Ranking

RESIDENT_LIMIT = 128 * 2**20
# FAISS' own sums differ in the last bits from those here; as many more rows are asked for as
# keeps such a row from falling off the end of the list.
_MARGIN = 8
_ROUNDING = 2e-6
# So many rows are compared one by one faster than through the lists that they are spread over.
_EXACT_LIMIT = 20_000
# Vectors that are in memory at a time while they are scored.
_BATCH_ROWS = 50_000
_BEAM = 64  # nodes that an HNSW search keeps


@dataclass(frozen=True, slots=True)
class _Request:
    """What FAISS is asked for.

    Attributes:
        wanted: rows.
        chosen: FAISS' filter, if any; `pool` rows pass it.
        effort: times the usual share of an approximate index is looked at.
        exact: every row is looked at.
    """

    wanted: int
    chosen: Any
    pool: int
    effort: int = 1
    exact: bool = False

    @property
    def plain(self) -> bool:
        return self.chosen is None and self.effort == 1 and not self.exact


class DenseIndex:
    """Cosine search over unit vectors numbered from 0. Searches may run in several threads."""

    stage = "dense"

    def __init__(self, parts: Parts, exact_limit: int = _EXACT_LIMIT) -> None:
        self._parts, self._exact_limit = parts, exact_limit
        self._vectors, self._fast = parts.vectors, parts.fast
        self._flat = engine.storage(parts.vectors)
        self._refined = (
            engine.refined(parts.fast, parts.vectors) if self.description.kind == "ivf" else None
        )
        self._parameters: dict[int, Any] = {}  # by lists looked at, without a filter
        self._gpu = None
        if engine.gpus() and self.size and self.description.kind != "hnsw":
            self._gpu = engine.on_gpus(parts.vectors, parts.fast, self.description.probes)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self.description.rows

    @property
    def description(self) -> Description:
        """Kind, sizes and training of the index, as `dense.json` has them."""
        return self._parts.description

    @classmethod
    def build(
        cls,
        vectors: Iterable[FloatArray],
        dimensions: int | None,
        folder: Path,
        carried: Carried | None = None,
        *,
        choice: DenseChoice | None = None,
    ) -> None:
        """Write an index; `vectors`, of shape (dimensions,), are those of the new rows.

        Args:
            vectors: unit vectors in row order: of all rows, or of `carried.new`.
            dimensions: None takes the first vector's.
            carried: the index whose rows, lists and centroids are taken over.
            choice: kind and settings; None: by the number of rows.

        Raises:
            IndexCorruptError: the index that is carried over is damaged.
            IndexingError: there are not as many vectors as new rows.
        """
        write(vectors, dimensions, folder, carried, choice or DenseChoice())

    @classmethod
    def open(
        cls, folder: Path, *, resident_limit: int = RESIDENT_LIMIT, exact_limit: int = _EXACT_LIMIT
    ) -> DenseIndex:
        """Open what `build` wrote.

        Args:
            resident_limit: files of more bytes are memory-mapped instead of read.
            exact_limit: where a filter leaves so many rows or fewer, all of them are compared.

        Raises:
            IndexCorruptError: a file is missing, cannot be read, or does not fit the others.
        """
        return cls(Parts.open(folder, resident_limit), exact_limit)

    @classmethod
    def exact(cls, vectors: FloatArray) -> DenseIndex:
        """A flat index of unit vectors that are in memory, of shape (rows, dimensions)."""
        rows, dimensions = vectors.shape
        return cls(Parts(Description("flat", rows, dimensions, "float32"), vectors, None))

    def vectors(self, rows: Sequence[int] | IntArray) -> FloatArray:
        """The stored vectors of `rows`, of shape (len(rows), dimensions)."""
        chosen = np.asarray(rows, dtype=np.int64)
        return np.asarray(self._vectors[chosen], dtype=np.float32)

    def search(self, query: FloatArray, depth: int, allowed: Allowed | None = None) -> Ranking:
        """The best `depth` rows for a unit vector of shape (dimensions,).

        As `search_many` for one query.
        """
        return self.search_many(query[None, :], depth, allowed)[0]

    def search_many(
        self, queries: FloatArray, depth: int, allowed: Allowed | None = None
    ) -> list[Ranking]:
        """The best `depth` rows for each unit vector of shape (queries, dimensions).

        Args:
            allowed: rows that may be found, of shape (rows,); None: all. With an approximate
                index as many allowed rows are looked at as without a filter, and all of them
                where they are few. There are always min(depth, allowed rows) hits.

        Raises:
            IndexCorruptError: the index names rows that it does not have.
        """
        if allowed is not None and allowed.shape != (self.size,):
            raise ValueError(f"a filter of shape {allowed.shape} for {self.size} rows")
        pool = self.size if allowed is None else int(np.count_nonzero(allowed))
        if pool == 0 or depth < 1:
            return [Ranking.empty() for _ in queries]
        chosen = engine.selector(allowed) if allowed is not None and pool < self.size else None
        depth = min(depth, pool)
        batch = max(1, min(1024, _BATCH_ROWS // (depth + _MARGIN)))
        found: list[Ranking] = []
        for start in range(0, len(queries), batch):
            block = np.ascontiguousarray(queries[start : start + batch], dtype=np.float32)
            found += self._search(block, depth, chosen, pool)
        return found

    def _search(self, queries: FloatArray, depth: int, chosen: Any, pool: int) -> list[Ranking]:
        wanted = min(pool, depth + _MARGIN)
        rows, scores = self._candidates(queries, _Request(wanted, chosen, pool))
        # What is not there scores minus infinity and so comes last.
        uncertain = ~np.isfinite(scores[:, depth - 1])
        if wanted < pool:
            uncertain |= scores[:, -1] >= scores[:, depth - 1] - _ROUNDING
        return [
            self._search_on(query[None, :], depth, _Request(wanted, chosen, pool))
            if again
            else Ranking(own[:depth], own_scores[:depth])
            for query, own, own_scores, again in zip(queries, rows, scores, uncertain, strict=True)
        ]

    def _search_on(self, query: FloatArray, depth: int, request: _Request) -> Ranking:
        """Ask for more until there are `depth` rows, and none beyond them may score the same."""
        while True:
            rows, scores = self._candidates(query, request)
            there = int(np.isfinite(scores[0]).sum())
            if there < depth and not request.exact:
                last = request.effort * self.description.probes >= self.description.lists
                request = replace(request, effort=4 * request.effort, exact=last)
                continue
            if there < depth:  # a query that has no inner products: not a number
                return Ranking(rows[0, :there], scores[0, :there])
            tied = scores[0, there - 1] >= scores[0, depth - 1] - _ROUNDING
            if not tied or there < request.wanted or request.wanted >= request.pool:
                return Ranking(rows[0, :depth], scores[0, :depth])
            request = replace(request, wanted=min(request.pool, 4 * request.wanted))

    def _candidates(self, queries: FloatArray, request: _Request) -> tuple[IntArray, FloatArray]:
        """Rows and scores of shape (queries, wanted), best first, equal scores by row.

        Where an approximate search found fewer, the score is minus infinity.
        """
        engine_, parameters = self._way(request)
        try:
            rows = engine_.search(queries, request.wanted, params=parameters)[1]
        except RuntimeError as error:
            raise IndexCorruptError(
                f"the dense index is damaged: {str(error)[:200]}",
                remedy="run `assistant index build` again",
            ) from error
        scores = self._scores(queries, rows)
        scores[rows < 0] = -np.inf
        order = np.lexsort((rows, -scores), axis=-1)
        lines = np.arange(len(rows))[:, None]
        return rows[lines, order], scores[lines, order]

    def _way(self, request: _Request) -> tuple[Any, Any]:
        """The FAISS index to ask, and its parameters."""
        said, wanted, chosen = self.description, request.wanted, request.chosen
        if self._gpu is not None and request.plain and wanted <= engine.GPU_DEPTH:
            return self._gpu, None
        few = chosen is not None and request.pool <= self._exact_limit
        if said.kind == "flat" or few or request.exact or wanted >= request.pool:
            return self._flat, engine.flat_parameters(chosen)
        # A filter spreads what is left of a query's neighbours over more lists.
        share = request.effort * self.size / request.pool
        if said.kind == "hnsw":
            beam = int(min(self.size, max(_BEAM, 2 * wanted) * share))
            return self._fast, engine.graph_parameters(beam, chosen)
        deep = max(1.0, wanted / (10 + _MARGIN)) ** 0.5
        probes = int(min(said.lists, np.ceil(said.probes * share * deep)))
        if chosen is not None:
            return self._refined, engine.refined_parameters(probes, said.factor, chosen)
        if probes not in self._parameters:  # making them takes a tenth of a search
            self._parameters[probes] = engine.refined_parameters(probes, said.factor, None)
        return self._refined, self._parameters[probes]

    def _scores(self, queries: FloatArray, rows: IntArray) -> FloatArray:
        """Inner products of shape `rows.shape`, each summed by itself; -1 counts as row 0."""
        stored = np.asarray(self._vectors[np.maximum(rows, 0)], dtype=np.float32)
        scores = np.einsum("qkd,qd->qk", stored, queries)
        return np.asarray(scores, dtype=np.float32)
