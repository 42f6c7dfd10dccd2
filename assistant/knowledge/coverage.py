"""Which passages to work on first: those that stand for the most others, and for what is asked.

Greedy facility location: take next the passage i with the largest gain

    Σⱼ wⱼ · max(0, cos(i, j) − bⱼ),   bⱼ = the largest cosine of j with a passage taken so far

which is within 1 − 1/e of the best cover of any size (Nemhauser, Wolsey and Fisher, 1978); gains
only fall, so an old gain bounds the new one and few are computed again (Minoux, 1978). wⱼ is 1 plus
how often j was cited or read. The passages j are all of them, or a sample in a large index.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

from indexes.encoders import FloatArray

_MOST_DEMAND = 2_000  # passages j; more cost time and change the order little
_BLOCK = 4_096


def coverage_order(
    vectors: FloatArray,
    wanted: Sequence[int],
    *,
    taken: Sequence[int] = (),
    uses: dict[int, int] | None = None,
) -> Iterator[int]:
    """The rows of `wanted`, the most useful first; computed as it is read.

    Args:
        vectors: unit vectors of all passages, of shape (passages, dimensions).
        taken: rows that are worked on already: what they stand for needs no other.
        uses: how often a row was cited or read.
    """
    if not wanted:
        return
    demand = _demand(len(vectors), uses or {})
    weights = np.array([1.0 + (uses or {}).get(int(j), 0) for j in demand], dtype=np.float32)
    targets = np.asarray(vectors[demand], dtype=np.float32)
    best = np.zeros(len(demand), dtype=np.float32)
    for row in taken:
        best = np.maximum(best, targets @ vectors[row])

    def gain(rows: Sequence[int]) -> FloatArray:
        closer = np.maximum(np.asarray(vectors[list(rows)]) @ targets.T - best, 0.0)
        return np.asarray(closer @ weights, dtype=np.float32)

    heap: list[tuple[float, int]] = []
    for first in range(0, len(wanted), _BLOCK):
        block = list(wanted[first : first + _BLOCK])
        heap += [(-float(g), row) for g, row in zip(gain(block), block, strict=True)]
    heapq.heapify(heap)
    while heap:
        _, row = heapq.heappop(heap)
        now = -float(gain([row])[0])
        if heap and (now, row) > heap[0]:
            heapq.heappush(heap, (now, row))
            continue
        yield row
        best = np.maximum(best, targets @ vectors[row])


def spread_order(documents: Sequence[str], wanted: Sequence[int]) -> Iterator[int]:
    """Without vectors: the first passage of every document, then the second of every one, …

    Args:
        documents: the document of each row.
    """
    seen: dict[str, int] = {}
    turns: list[tuple[int, int]] = []
    for row in sorted(wanted):
        turn = seen.get(documents[row], 0)
        seen[documents[row]] = turn + 1
        turns.append((turn, row))
    yield from (row for _, row in sorted(turns))


def _demand(passages: int, uses: dict[int, int]) -> list[int]:
    """All rows, or an even sample with every row that was used."""
    if passages <= _MOST_DEMAND:
        return list(range(passages))
    even = np.linspace(0, passages - 1, _MOST_DEMAND).astype(int).tolist()
    return sorted({*even, *sorted(row for row in uses if row < passages)[:_MOST_DEMAND]})
