"""Reading an index: open what is published, search it, look into it.

query ─┬─ lexical ─┐
       ├─ dense ───┼─ fuse (min-max) ─ hits, each with rank and score of every stage
       └─ sparse ──┘
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexes.dense import DenseIndex
from indexes.documents import Passage
from indexes.encoders import Encoders
from indexes.errors import IndexCorruptError, ModelMissingError, UsageError
from indexes.fusion import fusion_named
from indexes.lexical import LexicalIndex
from indexes.manifest import MANIFEST, STAGES, Manifest, read_manifest
from indexes.ranking import Ranking
from indexes.sparse import SparseIndex
from indexes.staging import STORE_FILE
from indexes.store import PassageStore, StoredDocument

# Set once by hand, never tuned on the collections that figures are reported on.
DEFAULT_WEIGHTS: Mapping[str, float] = {"lexical": 0.40, "dense": 0.35, "sparse": 0.25}
MAX_QUERY_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class StagePlace:
    """Where one stage put a passage: rank from 1, and its own score."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found: `score` is the fused one, in [0, 1]."""

    passage: Passage
    rank: int
    score: float
    stages: dict[str, StagePlace]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first; which stages took part and which could not, with the reason."""

    query: str
    hits: list[Hit]
    stages: tuple[str, ...]
    missing: dict[str, str] = field(default_factory=dict)


class Index:
    """The published state of one index, as it was when opened.

    A reader keeps the generation it opened even if a writer publishes another; `is_current`
    tells, and opening again is cheap next to loading encoders.
    """

    def __init__(self, folder: Path, manifest: Manifest, encoders: Encoders) -> None:
        self.folder = folder
        self.manifest = manifest
        self._encoders = encoders
        self._stamp = _stamp(folder)
        place = folder / manifest.generation
        self.store = PassageStore(place / STORE_FILE)
        self._lexical = LexicalIndex.open(place / "lexical")
        self._dense = self._sparse = None
        if stage := manifest.stages.get("dense"):
            self._dense = DenseIndex.open(place / f"dense-{stage.fingerprint}")
        if stage := manifest.stages.get("sparse"):
            self._sparse = SparseIndex.open(place / f"sparse-{stage.fingerprint}")
        for part in (self._lexical, self._dense, self._sparse):
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
                return cls(folder, manifest, encoders)
            except Exception:
                # A writer may have published and removed the old generation meanwhile.
                if read_manifest(folder).generation == manifest.generation:
                    raise
        return cls(folder, read_manifest(folder), encoders)

    @property
    def is_current(self) -> bool:
        """False once a writer has published something newer."""
        return self._stamp == _stamp(self.folder)

    def close(self) -> None:
        self.store.close()

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        depth: int = 100,
        weights: Mapping[str, float] = DEFAULT_WEIGHTS,
        fusion: str = "min-max",
    ) -> SearchResult:
        """The best `limit` passages for a query.

        Args:
            depth: how many candidates each stage gives to the fusion.
            weights: by stage; a stage with weight 0 is not asked.
            fusion: a name in `indexes.fusion.FUSIONS`.

        Raises:
            UsageError: the query is empty.
            UnknownNameError: there is no such fusion.
        """
        fuse = fusion_named(fusion)
        text = query.strip()[:MAX_QUERY_CHARACTERS]
        if not text:
            raise UsageError("the query is empty", remedy="ask for something")
        rankings, missing = self.rank(text, depth, [s for s in STAGES if weights.get(s, 0) > 0])
        fused = fuse(rankings, weights)
        best = sorted(fused.items(), key=lambda item: (-item[1], item[0]))[:limit]
        return SearchResult(text, self._hits(best, rankings), tuple(rankings), missing)

    def rank(
        self, text: str, depth: int, stages: list[str] | tuple[str, ...] = STAGES
    ) -> tuple[dict[str, Ranking], dict[str, str]]:
        """Each stage's own list, and why a stage that was wanted has none."""
        rankings: dict[str, Ranking] = {}
        missing: dict[str, str] = {}
        for stage in stages:
            try:
                ranking = self._rank_stage(stage, text, depth)
            except ModelMissingError as error:
                missing[stage] = str(error)
                continue
            if ranking is None:
                missing[stage] = "not encoded yet"
            else:
                rankings[stage] = ranking
        return rankings, missing

    def _rank_stage(self, stage: str, text: str, depth: int) -> Ranking | None:
        if stage == "lexical":
            return self._lexical.search(text, depth)
        if stage == "dense" and self._dense is not None:
            dense = self._encoders.dense()
            if dense.fingerprint != self.manifest.stages["dense"].fingerprint:
                raise ModelMissingError("encoded by another embedder: run `assistant index update`")
            return self._dense.search(dense.encode([text])[0], depth)
        if stage == "sparse" and self._sparse is not None:
            sparse = self._encoders.sparse()
            if sparse.fingerprint != self.manifest.stages["sparse"].fingerprint:
                raise ModelMissingError("encoded by another encoder: run `assistant index update`")
            return self._sparse.search(sparse.encode([text]), depth)
        return None

    def _hits(self, best: list[tuple[int, float]], rankings: Mapping[str, Ranking]) -> list[Hit]:
        places: dict[int, dict[str, StagePlace]] = {row: {} for row, _ in best}
        for stage, ranking in rankings.items():
            pairs = zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True)
            for rank, (row, score) in enumerate(pairs, start=1):
                if row in places:
                    places[row][stage] = StagePlace(rank, score)
        passages = self.store.by_rows([row for row, _ in best])
        return [
            Hit(passage, rank, score, places[row])
            for rank, (passage, (row, score)) in enumerate(zip(passages, best, strict=True), 1)
        ]

    def document(self, document_id: str) -> StoredDocument | None:
        """A document with its whole text."""
        return self.store.document(document_id)


def _stamp(folder: Path) -> tuple[int, int]:
    try:
        stat = (folder / MANIFEST).stat()
    except FileNotFoundError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)
