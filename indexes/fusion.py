"""Fusion of ranked lists: small functions with one signature, so that one can be swapped.

Each takes the lists by stage and a weight per stage and returns (row → fused score), at least 0.
With wᵢ the weights of the lists that are there, scaled to sum 1, sᵢ a passage's score in list i,
lowᵢ / highᵢ / σᵢ that list's extremes and standard deviation, rᵢ the passage's rank from 1:

    min-max   Σ wᵢ (sᵢ − lowᵢ) / (highᵢ − lowᵢ)     CombSUM (Fox and Shaw, TREC-2, 1994) of scores
                                                   scaled to [0, 1] (Lee, SIGIR 1997)
    combmnz   min-max × (lists with the passage) / (lists)                (the same two papers)
    z-score   Σ wᵢ (sᵢ − lowᵢ) / σᵢ                 CombSUM of standardised scores (Montague and
                                                   Aslam, CIKM 2001, "ZMUV")
    tm2c2     Σ wᵢ (sᵢ − lowᵢ) / (highᵢ − minᵢ)     convex combination scaled from the theoretical
                                                   minimum minᵢ of the stage (Bruch, Gai and
                                                   Ingber, TOIS 2023, arXiv 2210.11934)
    rrf       Σ wᵢ / (60 + rᵢ)                      reciprocal rank (Cormack, Clarke and
                                                   Büttcher, SIGIR 2009); weights as given

A passage that a list lacks scored at most lowᵢ there, and counts as if it had scored just that:
all but rrf measure from the list's lowest score. (tm2c2 as published measures from minᵢ, with the
missing scores computed afterwards; measured from lowᵢ it ranks alike where they are lowᵢ.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from indexes.encoders import FloatArray
from indexes.errors import UnknownNameError
from indexes.ranking import Ranking

Fusion = Callable[[Mapping[str, Ranking], Mapping[str, float]], dict[int, float]]

RRF_K = 60

# What a stage's score cannot fall below: sums of positive weights, and a cosine.
THEORETICAL_MINIMUM: Mapping[str, float] = {"lexical": 0.0, "sparse": 0.0, "dense": -1.0}


def min_max(rankings: Mapping[str, Ranking], weights: Mapping[str, float]) -> dict[int, float]:
    """Weighted sum of scores scaled to [0, 1] within each list; a missing passage counts 0.

    The weights are those of the stages present, scaled to sum 1, so a list that is not encoded
    yet only lowers recall and does not shift the scale. A list whose scores are all equal counts
    as all ones.
    """
    return _weighted_sum(rankings, weights, lambda stage, scores: float(scores.max()))


def comb_mnz(rankings: Mapping[str, Ranking], weights: Mapping[str, float]) -> dict[int, float]:
    """`min_max` times the share of the lists, of those with a weight, that hold the passage."""
    lists = list(_shares(rankings, weights))
    held: dict[int, int] = {}
    for stage in lists:
        for row in rankings[stage].rows.tolist():
            held[row] = held.get(row, 0) + 1
    return {
        row: score * held.get(row, 0) / len(lists)
        for row, score in min_max(rankings, weights).items()
    }


def z_score(rankings: Mapping[str, Ranking], weights: Mapping[str, float]) -> dict[int, float]:
    """Weighted sum of scores in standard deviations above their list's lowest.

    Not bounded by 1: a list with one far outlier gives it more than an even list gives its best.
    """
    return _weighted_sum(
        rankings, weights, lambda stage, scores: float(scores.min()) + float(scores.std())
    )


def tm2c2(rankings: Mapping[str, Ranking], weights: Mapping[str, float]) -> dict[int, float]:
    """Weighted sum of scores on the scale from what the stage can give at least to its best.

    Unlike in `min_max`, a list whose scores are all near each other tells passages apart little.
    A stage without a theoretical minimum is scaled as in `min_max`.
    """

    def top(stage: str, scores: FloatArray) -> float:
        low, high = float(scores.min()), float(scores.max())
        return low + high - THEORETICAL_MINIMUM.get(stage, low)

    return _weighted_sum(rankings, weights, top)


def reciprocal_rank(
    rankings: Mapping[str, Ranking], weights: Mapping[str, float]
) -> dict[int, float]:
    """Weighted reciprocal rank fusion: sum of w / (60 + rank)."""
    fused: dict[int, float] = {}
    for stage, ranking in rankings.items():
        weight = weights.get(stage, 0.0)
        for rank, row in enumerate(ranking.rows.tolist(), start=1):
            fused[row] = fused.get(row, 0.0) + weight / (RRF_K + rank)
    return fused


def _shares(rankings: Mapping[str, Ranking], weights: Mapping[str, float]) -> dict[str, float]:
    """The weights above 0 of the lists that are not empty, scaled to sum 1."""
    present = {
        stage: weights[stage]
        for stage, ranking in rankings.items()
        if len(ranking) and weights.get(stage, 0.0) > 0
    }
    total = sum(present.values())
    return {stage: weight / total for stage, weight in present.items()}


def _weighted_sum(
    rankings: Mapping[str, Ranking],
    weights: Mapping[str, float],
    one: Callable[[str, FloatArray], float],
) -> dict[int, float]:
    """Σ wᵢ (sᵢ − lowᵢ) / (oneᵢ − lowᵢ), where oneᵢ is the score of list i that counts 1.

    A list whose scores are all equal counts as all ones: it found these and no others.
    """
    shares = _shares(rankings, weights)
    # A stage with weight 0 adds nothing to a score, yet its passages have been found.
    fused = {
        row: 0.0 for stage, ranking in rankings.items() if shares for row in ranking.rows.tolist()
    }
    for stage, share in shares.items():
        ranking = rankings[stage]
        low, high = float(ranking.scores.min()), float(ranking.scores.max())
        span = one(stage, ranking.scores) - low
        for row, score in zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True):
            fused[row] += share * ((score - low) / span if high > low and span > 0 else 1.0)
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


FUSIONS: dict[str, Fusion] = {
    "min-max": min_max,
    "rrf": reciprocal_rank,
    "combmnz": comb_mnz,
    "z-score": z_score,
    "tm2c2": tm2c2,
}


def fusion_named(name: str) -> Fusion:
    """The fusion of that name.

    Raises:
        UnknownNameError: with the nearest name, or all of them.
    """
    if name not in FUSIONS:
        raise UnknownNameError("fusion", name, FUSIONS)
    return FUSIONS[name]
