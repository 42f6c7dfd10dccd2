"""Fusion of ranked lists: small functions with one signature, so that one can be swapped.

Each takes the lists by stage and a weight per stage and returns (row → fused score).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from indexes.errors import UnknownNameError
from indexes.ranking import Ranking

Fusion = Callable[[Mapping[str, Ranking], Mapping[str, float]], dict[int, float]]

RRF_K = 60


def min_max(rankings: Mapping[str, Ranking], weights: Mapping[str, float]) -> dict[int, float]:
    """Weighted sum of scores scaled to [0, 1] within each list; a missing passage counts 0.

    The "relative score" fusion of Bruch et al. (2023, arXiv 2210.11934). The weights are those of
    the stages present, scaled to sum 1, so a list that is not encoded yet only lowers recall and
    does not shift the scale. A list whose scores are all equal counts as all ones.
    """
    present = {stage: weights.get(stage, 0.0) for stage, ranking in rankings.items() if ranking}
    total = sum(present.values())
    fused: dict[int, float] = {}
    if total <= 0:
        return fused
    for stage, weight in present.items():
        ranking = rankings[stage]
        low, high = float(ranking.scores.min()), float(ranking.scores.max())
        span = high - low
        for row, score in zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True):
            scaled = (score - low) / span if span > 0 else 1.0
            fused[row] = fused.get(row, 0.0) + weight / total * scaled
    return fused


def reciprocal_rank(
    rankings: Mapping[str, Ranking], weights: Mapping[str, float]
) -> dict[int, float]:
    """Weighted reciprocal rank fusion (Cormack et al., SIGIR 2009): sum of w / (60 + rank)."""
    fused: dict[int, float] = {}
    for stage, ranking in rankings.items():
        weight = weights.get(stage, 0.0)
        for rank, row in enumerate(ranking.rows.tolist(), start=1):
            fused[row] = fused.get(row, 0.0) + weight / (RRF_K + rank)
    return fused


def add_up(
    fused: Sequence[Mapping[int, float]], weights: Sequence[float]
) -> dict[int, tuple[float, ...]]:
    """Several queries' fused scores over the union of their rows: row → each query's part.

    The parts of a row add up to its score. Weights are scaled to sum 1; a row that a query did not
    find gets 0 from it.
    """
    total = sum(weights)
    rows = dict.fromkeys(row for scores in fused for row in scores)
    return {
        row: tuple(
            weight / total * scores.get(row, 0.0)
            for scores, weight in zip(fused, weights, strict=True)
        )
        for row in rows
    }


FUSIONS: dict[str, Fusion] = {"min-max": min_max, "rrf": reciprocal_rank}


def fusion_named(name: str) -> Fusion:
    """The fusion of that name.

    Raises:
        UnknownNameError: with the nearest name, or all of them.
    """
    if name not in FUSIONS:
        raise UnknownNameError("fusion", name, FUSIONS)
    return FUSIONS[name]
