"""Batches of texts for a forward pass: near in length, and of a bounded number of tokens."""

from __future__ import annotations

from collections.abc import Sequence


def batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Positions sorted by length and cut so that texts × longest stays within `budget`.

    A text longer than the budget is a batch of its own. Long texts come first: what does not fit
    into the memory shows at once.
    """
    order = sorted(range(len(lengths)), key=lambda position: -lengths[position])
    found: list[list[int]] = []
    begin = 0
    while begin < len(order):
        count = max(budget // max(lengths[order[begin]], 1), 1)
        found.append(order[begin : begin + count])
        begin += count
    return found
