"""Every stage's list for every query of a collection, made once; and nDCG of many rankings of them.

A search over weights ranks the same lists hundreds of times, so the lists are kept as arrays of
rows, and nDCG is computed here on rows (the value of ir_measures' nDCG@k, which a test compares).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from assistant.errors import KnowledgeAssistantError
from eval.collections import Collection, read_rows
from indexes.index import Index
from indexes.progress import OnProgress, Progress
from indexes.queries import Query
from indexes.ranking import Ranking

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
CUTS = (5, 10)


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """One query with its lists.

    Attributes:
        group: equal for the queries of one conversation, which must not be parted by folds.
        grades: judged passages that the index has, by row.
        ideal: every grade above 0 of the query, highest first.
    """

    id: str
    text: str
    group: str
    rankings: Mapping[str, Ranking]
    grades: Mapping[int, int]
    ideal: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class JudgedLists:
    """A collection's queries with their lists."""

    collection: str
    passages: int
    queries: tuple[JudgedQuery, ...]


class Candidates(Protocol):
    """Rankings to choose from, by name; all of a query's at once."""

    @property
    def labels(self) -> Sequence[str]: ...

    def scores(self, query: JudgedQuery) -> tuple[Rows, Floats]:
        """Rows of shape (passages,), ascending, and their scores, (passages, candidates)."""
        ...


def judged_lists(
    index: Index,
    collection: Collection,
    *,
    depth: int,
    on_progress: OnProgress = lambda progress: None,
) -> JudgedLists:
    """Ask every stage every query once.

    Raises:
        KnowledgeAssistantError: a stage is missing; figures without it would mislead.
    """
    groups = conversations(collection)
    found: list[JudgedQuery] = []
    started = time.monotonic()
    for number, (query, text) in enumerate(collection.queries.items(), start=1):
        (rankings,), missing = index.rank([Query(text)], depth)
        if missing:
            raise KnowledgeAssistantError(
                f"cannot evaluate without every stage: {missing}",
                remedy="assistant models fetch embedder sparse",
            )
        judged = {p: grade for p, grade in collection.qrels[query].items() if grade > 0}
        ideal = tuple(sorted(judged.values(), reverse=True))
        grades: dict[int, int] = {}
        for passage, grade in judged.items():
            grades.update(dict.fromkeys(index.store.rows_of([passage]), grade))
        found.append(JudgedQuery(query, text, groups[query], rankings, grades, ideal))
        seconds = time.monotonic() - started
        on_progress(Progress("search", number, len(collection.queries), "queries", seconds))
    return JudgedLists(collection.name, index.manifest.passages, tuple(found))


def conversations(collection: Collection) -> dict[str, str]:
    """Query id → what it shares with the other turns of its conversation: the first message."""
    first: dict[str, str] = {}
    for row in read_rows(collection.folder / "queries.jsonl", ("_id", "text")):
        history = row.get("history") or [{}]
        opening = history[0].get("content") if isinstance(history[0], dict) else None
        first[str(row["_id"])] = str(opening or row["text"])
    return first


def ndcg(query: JudgedQuery, rows: Rows, scores: Floats) -> Floats:
    """nDCG at 5 and at 10 of several rankings of the same passages: shape (rankings, cuts).

    Gain = grade, discount log2(rank + 1) (Järvelin and Kekäläinen, 2002). Equal scores are
    ordered by row, as a search orders them; a passage without a number as score is not found.

    Args:
        rows: ascending, of shape (passages,).
        scores: of shape (passages, rankings).
    """
    deepest = max(CUTS)
    grades = np.array([query.grades.get(row, 0) for row in rows.tolist()], dtype=np.float64)
    order = np.argsort(-scores, axis=0, kind="stable")[:deepest]  # (≤ 10, rankings)
    gains = np.where(np.isnan(np.take_along_axis(scores, order, axis=0)), 0.0, grades[order])
    discounted = gains * _DISCOUNTS[: len(order), None]
    best = np.array(query.ideal[:deepest], dtype=np.float64) * _DISCOUNTS[: len(query.ideal)]
    return np.stack([discounted[:cut].sum(axis=0) / best[:cut].sum() for cut in CUTS], axis=1)


def table_of(
    lists: JudgedLists,
    candidates: Candidates,
    *,
    on_progress: OnProgress = lambda progress: None,
) -> Floats:
    """nDCG of every query under every candidate: shape (queries, candidates, cuts)."""
    values = np.zeros((len(lists.queries), len(candidates.labels), len(CUTS)))
    started = time.monotonic()
    for position, query in enumerate(lists.queries):
        rows, scores = candidates.scores(query)
        if len(rows):
            values[position] = ndcg(query, rows, scores)
        seconds = time.monotonic() - started
        on_progress(Progress("weigh", position + 1, len(lists.queries), "queries", seconds))
    return values


_DISCOUNTS: Floats = 1.0 / np.log2(np.arange(max(CUTS)) + 2.0)
