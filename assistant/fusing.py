"""Hits of two indexes in one list.

The fused score of an index says nothing in another one: the best passage of each has nearly 1,
however little it fits. So what was found is fused anew over both: meaning (cosine) and related
words (a sum of term weights) mean the same everywhere and are scaled over all hits together;
words (BM25) depend on how rare a word is in its own index, so they are scaled within each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from indexes.index import Hit, SearchResult

_OWN_SCALE = ("lexical",)


def together(
    first: SearchResult, second: SearchResult, weights: Mapping[str, float], limit: int
) -> SearchResult:
    """The best of both, `limit` at most; of equal ones those of `second` first.

    A stage that one of them lacks (not encoded yet) is left out where the other has it too, since
    its passages could not compete.
    """
    lists = [first.hits, second.hits]
    has = [_stages(hits) for hits in lists]
    if all(lists):
        has = [has[0] & has[1] or has[0] | has[1]] * 2
    scored: list[tuple[float, int, int, Hit]] = []
    for number, (hits, stages) in enumerate(zip(lists, has, strict=True)):
        scales = {
            stage: _scale(hits if stage in _OWN_SCALE else [*lists[0], *lists[1]], stage)
            for stage in stages
        }
        total = sum(weights.get(stage, 0.0) for stage in stages) or 1.0
        for hit in hits:
            score = sum(
                weights.get(stage, 0.0) * _scaled(hit, stage, scales[stage]) for stage in stages
            )
            scored.append((-score / total, 1 - number, hit.rank, hit))
    scored.sort(key=lambda one: one[:3])
    best = [
        replace(hit, rank=rank, score=-negative)
        for rank, (negative, _, _, hit) in enumerate(scored[:limit], start=1)
    ]
    asked = tuple(dict.fromkeys([*first.stages, *second.stages]))
    return SearchResult(first.query, best, asked, {**second.missing, **first.missing})


def _stages(hits: Sequence[Hit]) -> set[str]:
    known = {stage for hit in hits for stage in hit.stages}
    return known & {"lexical", "dense", "sparse"}


def _scale(hits: Sequence[Hit], stage: str) -> tuple[float, float]:
    scores = [hit.stages[stage].score for hit in hits if stage in hit.stages]
    return (min(scores), max(scores)) if scores else (0.0, 0.0)


def _scaled(hit: Hit, stage: str, scale: tuple[float, float]) -> float:
    place = hit.stages.get(stage)
    if place is None:
        return 0.0
    low, high = scale
    return (place.score - low) / (high - low) if high > low else 1.0
