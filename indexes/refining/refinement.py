"""From fused scores to the list that is shown: rerank, fold, diversify.

fused scores of all queries ─ rerank the first once ─ fold near-duplicates ─ diversify ─ places
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from indexes.documents import Passage
from indexes.encoders import FloatArray
from indexes.errors import UsageError
from indexes.queries import Query
from indexes.refining.diversity import diversified, vector_similarity, word_overlap
from indexes.refining.folding import folded
from indexes.refining.reranking import Reranker, RerankPlace, blended, places, scores_for_queries

Vectors = Callable[[Sequence[int]], FloatArray]
"""Unit vectors of shape (len(rows), d) of the passages at some rows."""


class Passages(Protocol):
    """Where passages are found by row."""

    def by_rows(self, rows: Sequence[int]) -> list[Passage]:
        """The passages at `rows`, in that order."""
        ...


@dataclass(frozen=True, slots=True)
class Refinement:
    """What happens to a fused list before it is shown.

    Attributes:
        reranker: None leaves the fused order.
        rerank_depth: how many of the fused list's first are reranked; the others follow them.
        rerank_weight: share of the reranker in the blend, 0 to 1; the default was set by hand,
            `assistant eval reranking` chooses one for a reranker.
        fold: whether near-duplicates are listed under the best of them.
        diversity: 0 to 1; 0 minds relevance alone.

    Raises:
        UsageError: a value out of its range.
    """

    reranker: Reranker | None = None
    rerank_depth: int = 20
    rerank_weight: float = 0.3
    fold: bool = True
    diversity: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rerank_weight", "diversity"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise UsageError(f"{name} {value} does not lie between 0 and 1")
        if self.rerank_depth < 1:
            raise UsageError(f"rerank_depth {self.rerank_depth}: at least 1")


@dataclass(frozen=True, slots=True)
class Refined:
    """One place of the final list.

    Attributes:
        score: the fused score, sum of `shares`: it does not follow the order where a reranker or
            diversity changed that.
        shares: each query's part of the fused score.
        fused_rank: from 1, before refinement.
        rerank: the reranker's own place of it; None where it was not asked.
        duplicates: rows folded under this one, best first.
    """

    row: int
    passage: Passage
    score: float
    shares: tuple[float, ...]
    fused_rank: int
    rerank: RerankPlace | None = None
    duplicates: tuple[int, ...] = ()


def refined(
    queries: Sequence[Query],
    fused: Mapping[int, tuple[float, ...]],
    store: Passages,
    refinement: Refinement,
    *,
    limit: int,
    vectors: Vectors | None = None,
) -> list[Refined]:
    """The best `limit` places.

    Args:
        queries: in the order of the shares.
        fused: row → each query's part of its score (`indexes.fusion.add_up`).
        vectors: of passages, for diversity; None compares their words.

    Raises:
        ModelMissingError, ModelCorruptError: as the reranker says.
    """
    order = sorted(fused.items(), key=lambda item: (-sum(item[1]), item[0]))
    looked_at = order[: _enough(refinement, limit)]
    rows = [row for row, _ in looked_at]
    by_row = dict(zip(rows, store.by_rows(rows), strict=True)) if rows else {}
    ranks = {row: rank for rank, row in enumerate(rows, start=1)}
    relevance = {row: sum(shares) for row, shares in looked_at}
    reranked: dict[int, RerankPlace] = {}
    if refinement.reranker is not None and rows:
        relevance, reranked = _reranked(queries, rows, relevance, by_row, refinement)
        rows = sorted(rows, key=lambda row: -relevance[row])  # stable: ties as fused
    duplicates: dict[int, tuple[int, ...]] = {}
    if refinement.fold:
        groups = folded([by_row[row].text for row in rows])
        duplicates = {rows[g.shown]: tuple(rows[d] for d in g.duplicates) for g in groups}
        rows = list(duplicates)
    if refinement.diversity > 0:
        similar = (
            word_overlap([by_row[row].text for row in rows])
            if vectors is None
            else vector_similarity(vectors(rows))
        )
        chosen = diversified([relevance[row] for row in rows], similar, refinement.diversity)
        rows = [rows[position] for position in chosen]
    return [
        Refined(
            row,
            by_row[row],
            sum(fused[row]),
            fused[row],
            ranks[row],
            reranked.get(row),
            duplicates.get(row, ()),
        )
        for row in rows[:limit]
    ]


PLAIN = Refinement(fold=False)
"""The fused list as it is."""

# With folding or diversity the list needs more than it shows: what is folded is replaced, what is
# moved down was looked at. So many more bound the pairs that are compared.
_SPARE = 30


def _enough(refinement: Refinement, limit: int) -> int:
    """How many of the fused list are looked at."""
    spare = limit + _SPARE if refinement.fold or refinement.diversity > 0 else limit
    return max(spare, refinement.rerank_depth if refinement.reranker is not None else 0)


def _reranked(
    queries: Sequence[Query],
    rows: Sequence[int],
    relevance: Mapping[int, float],
    by_row: Mapping[int, Passage],
    refinement: Refinement,
) -> tuple[dict[int, float], dict[int, RerankPlace]]:
    """New relevance in [0, 2] (the reranked above all others), and the reranker's own places."""
    assert refinement.reranker is not None
    first, others = rows[: refinement.rerank_depth], rows[refinement.rerank_depth :]
    weights: dict[str, float] = {}
    for query in queries:
        weights[query.text] = weights.get(query.text, 0.0) + query.weight
    scores = scores_for_queries(refinement.reranker, weights, [by_row[row] for row in first])
    mixed = blended([relevance[row] for row in first], scores, refinement.rerank_weight)
    highest = max((relevance[row] for row in others), default=0.0)
    found = {row: 1 + value for row, value in zip(first, mixed, strict=True)}
    found.update({row: relevance[row] / highest if highest > 0 else 0.0 for row in others})
    return found, places(first, scores)
