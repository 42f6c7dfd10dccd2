"""Reranking: the best of the fused list, looked at once more together with the query.

A reranker sees query and passage side by side, which costs far more than a lookup. It is therefore
asked once, for the first passages of the list that several queries have made together, and its
score is blended with the fused one, which knows what it does not (exact words, all the queries).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from indexes.documents import Passage
from indexes.encoders import FloatArray
from indexes.errors import UsageError


class Reranker(Protocol):
    """Scores passages for a query; higher is better, on a scale of the reranker's own."""

    def scores(self, query: str, passages: Sequence[Passage]) -> FloatArray:
        """Of shape (len(passages),), float32, finite."""
        ...


@dataclass(frozen=True, slots=True)
class RerankPlace:
    """Where the reranker alone would put a passage: rank from 1, and its score."""

    rank: int
    score: float


def unit(values: Sequence[float]) -> list[float]:
    """Values scaled to [0, 1]; equal ones are all 1."""
    if not len(values):
        return []
    low, high = min(values), max(values)
    span = high - low
    return [(value - low) / span if span > 0 else 1.0 for value in values]


def blended(fused: Sequence[float], scores: Sequence[float], weight: float) -> list[float]:
    """(1 − weight) × fused + weight × reranker's, both scaled to [0, 1] over these passages.

    Weight 0 keeps the order of the fused list, 1 takes the reranker's.
    """
    return [
        (1 - weight) * own + weight * other
        for own, other in zip(unit(fused), unit(scores), strict=True)
    ]


def places(rows: Sequence[int], scores: Sequence[float]) -> dict[int, RerankPlace]:
    """The reranker's own order; equal scores keep that of `rows`."""
    order = sorted(range(len(rows)), key=lambda position: -scores[position])
    return {rows[p]: RerankPlace(rank, scores[p]) for rank, p in enumerate(order, start=1)}


def scores_for_queries(
    reranker: Reranker, queries: Mapping[str, float], passages: Sequence[Passage]
) -> list[float]:
    """One score per passage over several queries: their scores, scaled to [0, 1], by weight.

    A single query's scores are left on the reranker's own scale.

    Raises:
        UsageError: the reranker gave another number of scores, or one that is no finite number.
    """
    found = {query: _checked(reranker, query, passages) for query in queries}
    if len(found) == 1:
        return next(iter(found.values()))
    total = sum(queries.values())
    summed = np.zeros(len(passages))
    for query, scores in found.items():
        summed += queries[query] / total * np.array(unit(scores))
    return [float(score) for score in summed]


def _checked(reranker: Reranker, query: str, passages: Sequence[Passage]) -> list[float]:
    scores = reranker.scores(query, passages)
    if scores.shape != (len(passages),) or not np.isfinite(scores).all():
        raise UsageError(
            f"the reranker gave {scores.shape} scores for {len(passages)} passages, or one that "
            "is no finite number",
            remedy="switch reranking off, or take other weights",
        )
    return [float(score) for score in scores]
