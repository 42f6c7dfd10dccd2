"""How well an order of candidates puts the relevant ones first."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence


def order_of(scores: Sequence[float]) -> list[int]:
    """Places by falling score; of equal ones the first comes first."""
    return sorted(range(len(scores)), key=lambda place: -scores[place])


def reciprocal_rank(order: Sequence[int], relevant: Collection[int], depth: int = 10) -> float:
    """1 / rank of the first relevant one within `depth`, 0 without one."""
    for rank, place in enumerate(order[:depth], start=1):
        if place in relevant:
            return 1 / rank
    return 0.0


def ndcg(order: Sequence[int], relevant: Collection[int], depth: int = 10) -> float:
    """nDCG with gains 0 and 1: Σ 1 / log2(rank + 1), over the best that is possible."""
    found = sum(
        1 / math.log2(rank + 1)
        for rank, place in enumerate(order[:depth], start=1)
        if place in relevant
    )
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(depth, len(relevant)) + 1))
    return found / best if best else 0.0
