"""Every stage's list for every query of a collection, made once; and nDCG of many rankings of them.

A search over weights ranks the same lists hundreds of times, so the lists are kept as arrays of
rows, and nDCG is computed here on rows (the value of ir_measures' nDCG@k, which a test compares).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.errors import KnowledgeAssistantError
from eval.collections import Collection, read_rows
from indexes.index import Index
from indexes.progress import OnProgress, Progress
from indexes.queries import Query
from indexes.ranking import Ranking

Floats = npt.NDArray[np.float64]
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


Scorer = Callable[[JudgedQuery], Mapping[int, float]]
"""Ranks a query's passages: row → score."""


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
        on_progress(Progress("search", number, len(collection.queries), "queries", 0.0))
    return JudgedLists(collection.name, index.manifest.passages, tuple(found))


def conversations(collection: Collection) -> dict[str, str]:
    """Query id → what it shares with the other turns of its conversation: the first message."""
    first: dict[str, str] = {}
    for row in read_rows(collection.folder / "queries.jsonl", ("_id", "text")):
        history = row.get("history") or [{}]
        opening = history[0].get("content") if isinstance(history[0], dict) else None
        first[str(row["_id"])] = str(opening or row["text"])
    return first


def ndcg(query: JudgedQuery, scores: Mapping[int, float]) -> tuple[float, ...]:
    """nDCG at 5 and at 10: gain = grade, discount log2(rank + 1) (Järvelin and Kekäläinen, 2002).

    Equal scores are ordered by row, as a search orders them.
    """
    deepest = max(CUTS)
    rows = np.fromiter(scores.keys(), dtype=np.int64, count=len(scores))
    values = np.fromiter(scores.values(), dtype=np.float64, count=len(scores))
    order = np.lexsort((rows, -values))[:deepest]
    gains = [query.grades.get(row, 0) for row in rows[order].tolist()]
    return tuple(_dcg(gains[:cut]) / _dcg(query.ideal[:cut]) for cut in CUTS)


def table_of(
    lists: JudgedLists,
    scorers: Sequence[Scorer],
    *,
    on_progress: OnProgress = lambda progress: None,
) -> Floats:
    """nDCG of every query under every scorer: shape (queries, scorers, cuts)."""
    values = np.zeros((len(lists.queries), len(scorers), len(CUTS)))
    for position, query in enumerate(lists.queries):
        for number, scorer in enumerate(scorers):
            values[position, number] = ndcg(query, scorer(query))
        on_progress(Progress("weigh", position + 1, len(lists.queries), "queries", 0.0))
    return values


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain * _DISCOUNTS[rank] for rank, gain in enumerate(gains) if gain)


_DISCOUNTS: Sequence[float] = (1.0 / np.log2(np.arange(max(CUTS)) + 2.0)).tolist()
