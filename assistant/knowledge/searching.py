"""Prepared questions beside an index's own stages: they point at passages, and never stand for one.

The entries are an index of their own (`following.publish_entries`). What fits a query gives its
passage a score in [0, 1]:

    s = fused score of the entry (min-max over the entries' lists) · fit
    fit = (cos(query, entry) − 0.5) / 0.3, held to [0, 1]

and the best entry of a passage counts. Without `fit` the best of entries that have nothing to do
with the query would count 1, which does harm as long as only some passages have entries. Both
bounds were set before anything was measured: with MiniLM, questions that ask the same have a
cosine of .8 and more, questions about the same thing one of about .5.

For the same reason the list weighs as much as its share of the passages: where one of ten passages
has entries, what is looked for is most often one of the other nine, and an entry about something
near it would only get before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from assistant.errors import KnowledgeAssistantError
from assistant.knowledge.entries import KnowledgeEntry
from assistant.knowledge.schema import ENTRIES_FOLDER
from assistant.knowledge.store import KnowledgeStore
from indexes.carried import Allowed
from indexes.encoders import Encoders, EncodersOfQueries
from indexes.further import FurtherRanking, Through
from indexes.fusion import min_max
from indexes.index import DEFAULT_WEIGHTS, Index
from indexes.manifest import MANIFEST
from indexes.queries import Query
from indexes.ranking import Ranking

NAME = "prepared"
_BATCH = 500
_BY_WORDS = 0.5  # fit where there are no vectors to compare
_FIT_FROM, _FIT_WHOLE = 0.5, 0.8


class PreparedKnowledge:
    """The entries of one index, opened for search. Safe to share between threads.

    Entries whose passage is not in `index` (any more, or not yet) are left out, so one that a
    deletion has not reached yet cannot be found.

    Args:
        index: the index that the passages are in.
        weight: of the list where every passage has entries.
        by_coverage: whether fewer entries weigh less.

    Attributes:
        coverage: the share of the passages that have entries.
        weight: what a fitting entry adds to its passage, see `indexes.further`: the weight that
            was given times the coverage.
    """

    name = NAME

    def __init__(
        self, index: Index, encoders: Encoders, weight: float, *, by_coverage: bool = True
    ) -> None:
        self._index = index
        self._entries = Index.open(index.folder / ENTRIES_FOLDER, EncodersOfQueries(encoders))
        kept = {
            entry.id: entry
            for entry in KnowledgeStore(index.folder).entries()
            if entry.tier != "rejected"
        }
        rows: dict[bytes, list[int]] = {}
        keys = index.store.keys()
        for row in range(len(keys)):
            rows.setdefault(keys[row].tobytes(), []).append(row)
        self._of_row: list[tuple[KnowledgeEntry | None, list[int]]] = []
        for passage in self._entries.store.passages():
            entry = kept.get(passage.document_id)
            if entry is not None and entry.text != passage.text:
                entry = None
            self._of_row.append((entry, rows.get(entry.passage_key, []) if entry else []))
        self._by_id = kept
        passages = {row for _, found in self._of_row for row in found}
        self.coverage = len(passages) / max(index.manifest.passages, 1)
        self.weight = weight * (self.coverage if by_coverage else 1.0)

    @property
    def size(self) -> int:
        """How many entries can be found."""
        return sum(bool(passages) for _, passages in self._of_row)

    def covered_passages(self) -> set[str]:
        """Ids of the passages that an entry points at."""
        rows = sorted({row for _, passages in self._of_row for row in passages})
        found: set[str] = set()
        for first in range(0, len(rows), _BATCH):
            batch = self._index.store.by_rows(rows[first : first + _BATCH])
            found.update(passage.id for passage in batch)
        return found

    def entry(self, entry_id: str) -> KnowledgeEntry | None:
        """An entry by its id."""
        return self._by_id.get(entry_id)

    def rank(
        self, queries: Sequence[Query], depth: int, masks: Sequence[Allowed | None]
    ) -> list[FurtherRanking]:
        """See `indexes.further.FurtherList`."""
        # What must stand in a passage word for word need not stand in a question about it; the
        # masks see to that.
        asked = [replace(query, phrases=False) for query in queries]
        rankings, _ = self._entries.rank(asked, depth)
        return [self._passages(own, depth, mask) for own, mask in zip(rankings, masks, strict=True)]

    def _passages(
        self, rankings: dict[str, Ranking], depth: int, mask: Allowed | None
    ) -> FurtherRanking:
        cosines = _by_row(rankings["dense"]) if "dense" in rankings else None
        found: dict[int, Through] = {}
        for row, score in min_max(rankings, DEFAULT_WEIGHTS).items():
            entry, passages = self._of_row[row]
            fits = fit(cosines.get(row, 0.0)) if cosines is not None else _BY_WORDS
            if entry is None or score * fits <= 0:
                continue
            through = Through(entry.id, entry.text, min(1.0, score * fits))
            for passage in passages:
                before = found.get(passage)
                better = before is None or (through.score, entry.id) > (before.score, before.id)
                if better and (mask is None or mask[passage]):
                    found[passage] = through
        best = sorted(found, key=lambda passage: (-found[passage].score, passage))[:depth]
        ranking = Ranking(
            np.asarray(best, dtype=np.int64),
            np.asarray([found[row].score for row in best], dtype=np.float32),
        )
        return FurtherRanking(ranking, {row: found[row] for row in best})


def fit(cosine: float) -> float:
    """How well an entry of this cosine fits, in [0, 1]."""
    return min(max((cosine - _FIT_FROM) / (_FIT_WHOLE - _FIT_FROM), 0.0), 1.0)


def stamp(folder: Path) -> tuple[int, int]:
    """Changes whenever what is searchable of the store of the index in `folder` is published."""
    try:
        stat = (folder / ENTRIES_FOLDER / MANIFEST).stat()
    except FileNotFoundError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


def open_prepared(
    index: Index, encoders: Encoders, weight: float, *, by_coverage: bool = True
) -> PreparedKnowledge | None:
    """The entries of an index; None where it has none that can be searched.

    A damaged store takes nothing away but itself: the passages are found without it.
    """
    if not (index.folder / ENTRIES_FOLDER / MANIFEST).is_file():
        return None
    try:
        return PreparedKnowledge(index, encoders, weight, by_coverage=by_coverage)
    except KnowledgeAssistantError:
        return None


def _by_row(ranking: Ranking) -> dict[int, float]:
    return dict(zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True))
