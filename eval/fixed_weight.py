"""A reranker at one weight, chosen elsewhere, against the fused list of the same queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.ranked_lists import Candidates, Floats, JudgedLists, table_of
from eval.significance import paired_randomisation

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class FixedWeight:
    """Means over a collection's queries, nDCG at 5 and at 10; `p` is of nDCG@10.

    Attributes:
        fused, reranked: (nDCG@5, nDCG@10).
        p: paired randomisation, two-sided.
    """

    collection: str
    queries: int
    fused: tuple[float, float]
    reranked: tuple[float, float]
    p: float

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `no difference` that could not be chance."""
        if self.p >= SIGNIFICANT:
            return "no difference"
        return "better" if self.reranked[1] > self.fused[1] else "worse"


def at_weight(
    lists: Sequence[JudgedLists], blends: Candidates, column: int
) -> tuple[FixedWeight, ...]:
    """Compare one candidate with the first, which does not rerank.

    Args:
        column: of the candidate.
    """
    return tuple(_compared(one, table_of(one, blends), column) for one in lists)


def _compared(one: JudgedLists, table: Floats, column: int) -> FixedWeight:
    before, after = table[:, 0], table[:, column]  # (queries, cuts)
    fused, reranked = before.mean(axis=0), after.mean(axis=0)
    return FixedWeight(
        one.collection,
        len(one.queries),
        (float(fused[0]), float(fused[1])),
        (float(reranked[0]), float(reranked[1])),
        paired_randomisation(before[:, 1].tolist(), after[:, 1].tolist()),
    )


def fixed_json(found: Sequence[FixedWeight], weight: float) -> Mapping[str, Any]:
    """The documented shape of `at_weight` in `assistant eval reranking --json`."""
    return {
        "weight": weight,
        "collections": [
            {
                "collection": one.collection,
                "queries": one.queries,
                "fused_nDCG@5": round(one.fused[0], 4),
                "fused_nDCG@10": round(one.fused[1], 4),
                "nDCG@5": round(one.reranked[0], 4),
                "nDCG@10": round(one.reranked[1], 4),
                "p": round(one.p, 4),
                "verdict": one.verdict,
            }
            for one in found
        ],
    }
