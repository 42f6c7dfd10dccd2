"""Reading an index: open what is published, search it, look into it.

each query ─┬─ lexical ─┐
            ├─ dense ───┼─ fuse (min-max) ─┐
            └─ sparse ──┘                  ├─ add by weight ─ hits, each with rank and score of
      …the other queries likewise ─────────┘                  every stage, and each query's share

A further list (`indexes.further`) adds to what was fused for each query.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexes.carried import Allowed
from indexes.dense.index import DenseIndex
from indexes.documents import Passage
from indexes.encoders import Encoders
from indexes.errors import IndexCorruptError
from indexes.filters import Filter
from indexes.further import FurtherList, FurtherRanking, Through, with_further
from indexes.fusion import add_up, fusion_named
from indexes.lexical.index import LexicalIndex
from indexes.manifest import MANIFEST, STAGES, STORE_FILE, Manifest, Stage, read_manifest
from indexes.queries import Query, cleaned
from indexes.ranker import Ranker
from indexes.ranking import Ranking
from indexes.refining.refinement import PLAIN, Refined, Refinement, refined
from indexes.refining.reranking import RerankPlace
from indexes.sparse.index import SparseIndex
from indexes.store import PassageStore, StoredDocument
from indexes.upkeep.damage import damage_in_words

# Set once by hand, never tuned on the collections that figures are reported on.
DEFAULT_WEIGHTS: Mapping[str, float] = {"lexical": 0.40, "dense": 0.35, "sparse": 0.25}

_MASKS = 8


@dataclass(frozen=True, slots=True)
class StagePlace:
    """Where one stage put a passage: rank from 1, and its own score; for the query that it ranked
    the passage best for, where there were several."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    `score` is the fused one (in [0, 1] with min-max); `shares` are the queries' parts of it, in
    their order. Where a reranker or diversity changed the order, it does not follow the score.
    `duplicates` are passages that say nearly the same and are not listed by themselves.
    `through` is what further lists found it through, best first.
    """

    passage: Passage
    rank: int
    score: float
    stages: dict[str, StagePlace]
    shares: tuple[float, ...] = ()
    rerank: RerankPlace | None = None
    duplicates: tuple[Passage, ...] = ()
    through: tuple[Through, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first; which stages took part and which could not, with the reason.

    `query` is the first query's text.
    """

    query: str
    hits: list[Hit]
    stages: tuple[str, ...]
    missing: dict[str, str] = field(default_factory=dict)


class Index:
    """The published state of one index, as it was when opened.

    A reader keeps the generation it opened even if a writer publishes another; `is_current`
    tells, and opening again is cheap next to loading encoders.
    """

    # Whether its stages can be looked into (`indexes.explaining.explain`).
    explains = True

    def __init__(self, folder: Path, manifest: Manifest, encoders: Encoders) -> None:
        self.folder = folder
        self.manifest = manifest
        self._stamp = _stamp(folder)
        place = folder / manifest.generation
        self.store = PassageStore(place / STORE_FILE)
        lexical = LexicalIndex.open(place / "lexical")
        dense = sparse = None
        if stage := manifest.stages.get("dense"):
            dense = DenseIndex.open(place / f"dense-{stage.fingerprint}")
        if stage := manifest.stages.get("sparse"):
            sparse = SparseIndex.open(place / f"sparse-{stage.fingerprint}")
        self._masks: dict[Filter, Allowed] = {}
        # For explanations; dense and sparse are None where that stage is not encoded yet.
        self.encoders, self.lexical, self.dense, self.sparse = encoders, lexical, dense, sparse
        self._ranker = Ranker(manifest, encoders, lexical, dense, sparse)
        for part in (lexical, dense, sparse):
            if part is not None and part.size != manifest.passages:
                raise IndexCorruptError(
                    f"index '{manifest.name}': the {part.stage} stage has {part.size} passages, "
                    f"the store {manifest.passages}",
                    remedy=f"run `assistant index build {manifest.name} --fresh`",
                )

    @classmethod
    def open(cls, folder: Path, encoders: Encoders) -> Index:
        """Open the published index in `folder`.

        Raises:
            IndexNotFoundError, IndexFormatError, IndexCorruptError: see the messages.
        """
        for _ in range(3):
            manifest = read_manifest(folder)
            try:
                with damage_in_words(folder, manifest):
                    return cls(folder, manifest, encoders)
            except Exception:
                # A writer may have published and removed the old generation meanwhile.
                if read_manifest(folder).generation == manifest.generation:
                    raise
        return cls(folder, read_manifest(folder), encoders)

    def with_dense(self, dense: DenseIndex, fingerprint: str, encoders: Encoders) -> Index:
        """The same index with another dense stage: an embedder can be measured before it is used.

        Args:
            dense: a vector for each passage, by row, of the encoder with that fingerprint.
            encoders: give that encoder.
        """
        other = copy.copy(self)
        stages = {**self.manifest.stages, "dense": Stage(fingerprint)}
        other.manifest = replace(self.manifest, stages=stages)
        other.encoders, other.dense = encoders, dense
        other._ranker = Ranker(other.manifest, encoders, self.lexical, dense, self.sparse)
        return other

    @property
    def is_current(self) -> bool:
        """False once a writer has published something newer."""
        return self._stamp == _stamp(self.folder)

    def close(self) -> None:
        self.store.close()

    def search(
        self,
        query: str | Sequence[Query],
        *,
        limit: int = 10,
        depth: int = 100,
        weights: Mapping[str, float] = DEFAULT_WEIGHTS,
        fusion: str = "min-max",
        without: Collection[int] = (),
        where: Filter | None = None,
        refinement: Refinement = PLAIN,
        further: FurtherList | None = None,
    ) -> SearchResult:
        """The best `limit` passages for a query, or for several at once.

        Args:
            query: words, or queries for one need; their fused lists are added by weight.
            depth: how many candidates each stage gives to the fusion, for each query.
            weights: by stage; a stage with weight 0 is not asked.
            fusion: a name in `indexes.fusion.FUSIONS`.
            without: rows that are not to be found.
            where: find passages of these documents only.
            refinement: what happens to the fused list before it is cut.
            further: one more list beside those of the stages.

        Raises:
            UsageError: the query is empty.
            UnknownNameError: there is no such fusion.
        """
        fuse = fusion_named(fusion)
        queries = cleaned(query)
        by_query = [q.stage_weights or weights for q in queries]
        wanted = [s for s in STAGES if any(w.get(s, 0) > 0 for w in by_query)]
        with damage_in_words(self.folder, self.manifest):
            rankings, missing = self.rank(queries, depth, wanted, without, where)
        fused = [fuse(own, w) for own, w in zip(rankings, by_query, strict=True)]
        lists = self._further(further, queries, depth, without, where)
        if further is not None:
            for number, more in enumerate(lists):
                fused[number] = with_further(fused[number], more.ranking, further.weight)
                if len(more.ranking):
                    rankings[number][further.name] = more.ranking
        shares = add_up(fused, [q.weight for q in queries])
        vectors = self.dense.vectors if self.dense is not None else None
        best = refined(queries, shares, self.store, refinement, limit=limit, vectors=vectors)
        stages = tuple(s for s in STAGES if any(s in own for own in rankings))
        with damage_in_words(self.folder, self.manifest):
            hits = self._hits(best, rankings, lists)
        if further is not None and any(further.name in own for own in rankings):
            stages = (*stages, further.name)
        return SearchResult(queries[0].text, hits, stages, missing)

    def rank(
        self,
        queries: Sequence[Query],
        depth: int,
        stages: Sequence[str] = STAGES,
        without: Collection[int] = (),
        where: Filter | None = None,
    ) -> tuple[list[dict[str, Ranking]], dict[str, str]]:
        """For each query every stage's own list; and why a stage that was wanted has none."""
        return self._ranker.rank(queries, depth, stages, without, self.allowed(where))

    def _further(
        self,
        further: FurtherList | None,
        queries: Sequence[Query],
        depth: int,
        without: Collection[int],
        where: Filter | None,
    ) -> list[FurtherRanking]:
        if further is None or further.weight <= 0:
            return []
        masks = self._ranker.masks(queries, self.allowed(where))
        found = further.rank(queries, depth + len(without), masks)
        return [FurtherRanking(one.ranking.without(without, depth), one.through) for one in found]

    def allowed(self, where: Filter | None) -> Allowed | None:
        """Which rows a filter lets through; None where it lets through all.

        The last filters' masks are kept: a turn asks several times under one filter.
        """
        if not where:
            return None
        if (mask := self._masks.get(where)) is None:
            mask = self.store.allowed(where)
            if len(self._masks) >= _MASKS:
                self._masks.clear()
            self._masks[where] = mask
        return mask

    def permitted(self, rows: Sequence[int], where: Filter) -> list[int]:
        """Those of `rows` that are of documents that pass the filter."""
        mask = self.allowed(where)
        return [row for row in rows if mask is None or mask[row]]

    def _hits(
        self,
        best: Sequence[Refined],
        rankings: Sequence[Mapping[str, Ranking]],
        lists: Sequence[FurtherRanking],
    ) -> list[Hit]:
        places: dict[int, dict[str, StagePlace]] = {one.row: {} for one in best}
        for own in rankings:
            for stage, ranking in own.items():
                pairs = zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True)
                for rank, (row, score) in enumerate(pairs, start=1):
                    if row in places:
                        before = places[row].get(stage)
                        if before is None or rank < before.rank:
                            places[row][stage] = StagePlace(rank, score)
        copies = [row for one in best for row in one.duplicates]
        copied = dict(zip(copies, self.store.by_rows(copies), strict=True)) if copies else {}
        return [
            Hit(
                one.passage,
                rank,
                one.score,
                places[one.row],
                one.shares,
                one.rerank,
                tuple(copied[row] for row in one.duplicates),
                _through(one.row, lists),
            )
            for rank, one in enumerate(best, start=1)
        ]

    def document(self, document_id: str) -> StoredDocument | None:
        """A document with its whole text."""
        return self.store.document(document_id)


def _through(row: int, lists: Sequence[FurtherRanking]) -> tuple[Through, ...]:
    """What the further lists of all queries found a row through, each thing once, best first."""
    found = sorted(
        (one.through[row] for one in lists if row in one.through),
        key=lambda through: (-through.score, through.id),
    )
    return tuple({through.id: through for through in reversed(found)}.values())[::-1]


def _stamp(folder: Path) -> tuple[int, int]:
    try:
        stat = (folder / MANIFEST).stat()
    except FileNotFoundError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)
