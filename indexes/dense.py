"""Dense search over unit vectors: FAISS, exact while small, approximate and refined above.

FAISS proposes rows; scores are computed here, from the stored vectors, one row at a time. So a
row's score does not depend on the kind of index, on the batch that the query came in, or on a
GPU, and rows with equal vectors have equal scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from indexes import faiss_engine as engine
from indexes.carried import Allowed, Carried
from indexes.dense_build import Parts, write
from indexes.dense_kinds import DenseChoice, Description
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
_BATCH = 1024


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
            resident_limit: vectors of more bytes are memory-mapped instead of read.
            exact_limit: where a filter leaves so many rows or fewer, all of them are compared.

        Raises:
            IndexCorruptError: a file is missing, cannot be read, or does not fit the others.
        """
        return cls(Parts.open(folder, resident_limit), exact_limit)

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
        found: list[Ranking] = []
        for start in range(0, len(queries), _BATCH):
            block = np.ascontiguousarray(queries[start : start + _BATCH], dtype=np.float32)
            found += self._search(block, min(depth, pool), chosen, pool)
        return found

    def _search(self, queries: FloatArray, depth: int, chosen: Any, pool: int) -> list[Ranking]:
        wanted, effort = min(pool, depth + _MARGIN), 1
        rows = self._candidates(queries, wanted, effort, chosen, pool)
        rankings: list[Ranking] = []
        for query, own, scores in zip(queries, rows, self._scores(queries, rows), strict=True):
            more, deeper = wanted, effort
            while True:
                there = own >= 0
                short = int(there.sum()) < depth
                if not short and not _cut_in_a_tie(scores[there], depth, more, pool):
                    break
                if short and deeper * self.description.probes >= self.description.lists:
                    more = pool  # every list was looked at: compare all
                more, deeper = min(pool, 2 * more), 4 * deeper if short else deeper
                own = self._candidates(query[None, :], more, deeper, chosen, pool)[0]
                scores = self._scores(query[None, :], own[None, :])[0]
            own, scores = own[there], scores[there]
            order = np.lexsort((own, -scores))[:depth]
            rankings.append(Ranking(own[order], scores[order]))
        return rankings

    def _candidates(
        self, queries: FloatArray, wanted: int, effort: int, chosen: Any, pool: int
    ) -> IntArray:
        """Rows of shape (queries, wanted), -1 where an approximate search found no more."""
        try:
            engine_, parameters, depth = self._way(wanted, effort, chosen, pool)
            rows = engine_.search(queries, depth, params=parameters)[1]
        except RuntimeError as error:
            raise IndexCorruptError(
                f"the dense index is damaged: {str(error)[:200]}",
                remedy="run `assistant index build` again",
            ) from error
        return np.asarray(rows, dtype=np.int64)

    def _way(self, wanted: int, effort: int, chosen: Any, pool: int) -> tuple[Any, Any, int]:
        """The FAISS index to ask, its parameters, and how many rows to ask it for."""
        said = self.description
        few = chosen is not None and pool <= self._exact_limit
        if self._gpu is not None and chosen is None and effort == 1:
            return self._gpu, None, wanted
        if said.kind == "flat" or few or wanted >= pool:
            parameters = None if chosen is None else faiss.SearchParameters(sel=chosen)
            return self._flat, parameters, wanted
        # A filter spreads what is left of a query's neighbours over more lists.
        share = self.size / pool
        if said.kind == "hnsw":
            beam = int(min(self.size, max(64, 2 * wanted) * share * effort))
            return (
                self._fast,
                faiss.SearchParametersHNSW(efSearch=beam, sel=chosen),
                wanted,
            )
        deep = max(1.0, wanted / (10 + _MARGIN)) ** 0.5
        probes = int(min(said.lists, np.ceil(said.probes * share * deep * effort)))
        return self._refined, engine.refined_parameters(probes, said.factor, chosen), wanted

    def _scores(self, queries: FloatArray, rows: IntArray) -> FloatArray:
        """Inner products of shape `rows.shape`, each summed by itself; -1 counts as row 0."""
        stored = np.asarray(self._vectors[np.maximum(rows, 0)], dtype=np.float32)
        scores = np.einsum("qkd,qd->qk", stored, queries)
        return np.asarray(scores, dtype=np.float32)


def _cut_in_a_tie(scores: FloatArray, depth: int, wanted: int, pool: int) -> bool:
    """Whether rows beyond those found might score as much as the last one taken."""
    if wanted >= pool or len(scores) < wanted:
        return False
    return bool(scores.min() >= np.partition(scores, -depth)[-depth] - _ROUNDING)
