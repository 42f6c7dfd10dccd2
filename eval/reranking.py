"""What a reranker adds to the fused list, with its weight chosen by cross-validation."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import UsageError
from assistant.refining import reranker_named
from assistant.workspace import Workspace
from eval.fixed_weight import FixedWeight, at_weight, fixed_json
from eval.fusion import FusionReport, choose, lists_of, opened, report_json
from eval.ranked_lists import Floats, JudgedLists, JudgedQuery, Rows
from eval.retrieval import index_collection
from indexes.documents import Passage
from indexes.encoders import FloatArray
from indexes.encoders.dense import SentenceTransformerEncoder
from indexes.encoders.token_vectors import EmbedderTokens, TokenVectors
from indexes.fusion import min_max
from indexes.index import DEFAULT_WEIGHTS, Index
from indexes.progress import OnProgress, Progress
from indexes.refining.late_interaction import LateInteraction
from indexes.refining.reranking import Reranker, blended

WEIGHTS = tuple(number / 10 for number in range(11))
LATE_INTERACTION = "late-interaction"
_NAMES = {LATE_INTERACTION: "late interaction", "distilled": "distilled"}
# Queries timed with nothing kept, as a person's search would run.
TIMED = 15

Scores = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds that reranking adds to a search, over `queries` of them."""

    collection: str
    queries: int
    median: float
    highest: float


@dataclass(frozen=True, slots=True)
class RerankingReport:
    """Validations of the weight, and what a query costs.

    `fixed`: the reranker at `weight`, where one was given.
    """

    reranker: str
    depth: int
    report: FusionReport
    costs: tuple[Cost, ...]
    weight: float | None = None
    fixed: tuple[FixedWeight, ...] = ()


class KeptTokens:
    """Token vectors that are kept: many queries of a collection share their candidates."""

    def __init__(self, tokens: TokenVectors) -> None:
        self._tokens = tokens
        self._kept: dict[str, FloatArray] = {}

    def token_vectors(self, texts: Sequence[str]) -> list[FloatArray]:
        missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
        for text, vectors in zip(missing, self._tokens.token_vectors(missing), strict=True):
            # Half precision: a thousand passages are 200 MB. Cosines change by less than 1e-3.
            self._kept[text] = vectors.astype("float16")
        return [self._kept[text].astype("float32") for text in texts]


@dataclass(frozen=True, slots=True)
class Blends:
    """The reranker at every weight. `by_query` has its scores by the query's identity."""

    name: str
    by_query: Mapping[int, Scores]

    @property
    def labels(self) -> list[str]:
        return [f"{self.name} × {weight:g}" if weight else "no reranking" for weight in WEIGHTS]

    def scores(self, query: JudgedQuery) -> tuple[Rows, Floats]:
        found = [reranked(query, self.by_query[id(query)], weight) for weight in WEIGHTS]
        rows = sorted(found[0])
        values = np.array([[one[row] for one in found] for row in rows])
        return np.array(rows, dtype=np.int64), values.reshape(len(rows), len(WEIGHTS))


def evaluate_reranking(
    workspace: Workspace,
    folders: Sequence[Path],
    *,
    depth: int = 20,
    reranker: str = LATE_INTERACTION,
    weight: float | None = None,
    folds: int = 5,
    seed: int = 0,
    on_progress: OnProgress = lambda progress: None,
) -> RerankingReport:
    """Rerank the first `depth` of each query's default fused list with every weight.

    Args:
        reranker: as `retrieval.reranker`: "late-interaction", "distilled", or a folder.
        weight: one that was chosen elsewhere, a tenth, to be told by itself.

    Raises:
        UsageError: no collection, the embedder gives no vectors of tokens, or a weight that is not
            among those that are tried.
        KnowledgeAssistantError: a stage or the weights are missing.
    """
    if weight is not None and weight not in WEIGHTS:
        raise UsageError(f"the weight {weight:g} is no tenth", remedy="give 0, 0.1, … or 1")
    lists, costs = [], []
    by_query: dict[int, Scores] = {}
    for collection in opened(folders, folds):
        index = index_collection(workspace, collection, on_progress)
        found = lists_of(workspace, collection, index, on_progress)
        lists.append(found)
        plain, many = _rerankers(workspace, reranker)
        costs.append(_cost(index, found, plain, depth))
        for query, scores in _scored(index, found, many, depth, on_progress):
            by_query[id(query)] = scores
    name = _NAMES.get(reranker, "cross-encoder")
    blends = Blends(name, by_query)
    report = choose(lists, {name: blends}, folds=folds, seed=seed, on_progress=on_progress)
    fixed = () if weight is None else at_weight(lists, blends, WEIGHTS.index(weight))
    return RerankingReport(name, depth, report, tuple(costs), weight, fixed)


def reranking_json(measured: RerankingReport) -> dict[str, Any]:
    """The documented shape of `assistant eval reranking --json`."""
    return {
        "reranker": measured.reranker,
        "depth": measured.depth,
        **report_json(measured.report),
        "at_weight": None
        if measured.weight is None
        else fixed_json(measured.fixed, measured.weight),
        "milliseconds_a_query": [
            {
                "collection": cost.collection,
                "timed": cost.queries,
                "median": round(cost.median, 1),
                "most": round(cost.highest, 1),
            }
            for cost in measured.costs
        ],
    }


def first_rows(query: JudgedQuery, depth: int) -> list[tuple[int, float]]:
    """The first of the default fused list: (row, fused score)."""
    fused = min_max(query.rankings, DEFAULT_WEIGHTS)
    return sorted(fused.items(), key=lambda item: (-item[1], item[0]))[:depth]


def reranked(query: JudgedQuery, scores: Scores, weight: float) -> dict[int, float]:
    """The passages that were reranked, in their new order, then the others in their old one."""
    rows = first_rows(query, sum(map(len, query.rankings.values())))
    first, others = rows[: len(scores)], rows[len(scores) :]
    mixed = blended([own for _, own in first], [scores[row] for row, _ in first], weight)
    # Sorting is stable, so passages of one blend keep the order of the fused list.
    order = sorted(range(len(first)), key=lambda position: -mixed[position])
    best_first = [first[position][0] for position in order] + [row for row, _ in others]
    return {row: float(-rank) for rank, row in enumerate(best_first)}


def _rerankers(workspace: Workspace, name: str) -> tuple[Reranker, Reranker]:
    """As a search would use it, to be timed; and one that keeps what it can, to be measured."""
    if name == LATE_INTERACTION:
        tokens = _tokens(workspace)
        return LateInteraction(tokens), LateInteraction(KeptTokens(tokens))
    reranker = reranker_named(name, workspace.encoders)
    if reranker is None:
        raise UsageError("'off' is no reranker", remedy="give distilled, or a folder")
    return reranker, reranker


def _tokens(workspace: Workspace) -> EmbedderTokens:
    encoder = workspace.encoders.dense()
    if not isinstance(encoder, SentenceTransformerEncoder):
        raise UsageError(
            "this embedder gives no vectors of single tokens",
            remedy="set models.embedder to a sentence-transformers folder",
        )
    return EmbedderTokens(encoder)


def _scored(
    index: Index,
    lists: JudgedLists,
    reranker: Reranker,
    depth: int,
    on_progress: OnProgress,
) -> list[tuple[JudgedQuery, Scores]]:
    found: list[tuple[JudgedQuery, Scores]] = []
    started = time.monotonic()
    for number, query in enumerate(lists.queries, start=1):
        rows = [row for row, _ in first_rows(query, depth)]
        scores = reranker.scores(query.text, index.store.by_rows(rows)).tolist() if rows else []
        found.append((query, dict(zip(rows, scores, strict=True))))
        seconds = time.monotonic() - started
        on_progress(Progress("rerank", number, len(lists.queries), "queries", seconds))
    return found


def _cost(index: Index, lists: JudgedLists, reranker: Reranker, depth: int) -> Cost:
    seconds = []
    for query in lists.queries[: TIMED + 1]:
        rows = [row for row, _ in first_rows(query, depth)]
        passages: list[Passage] = index.store.by_rows(rows)
        started = time.monotonic()
        reranker.scores(query.text, passages)
        seconds.append(1000 * (time.monotonic() - started))
    timed = seconds[1:] or seconds  # the first one loads what later ones find loaded
    return Cost(lists.collection, len(timed), statistics.median(timed), max(timed))
