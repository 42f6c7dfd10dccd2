"""A further list beside those of an index's own stages: something else that points at its rows.

Its scores say in [0, 1] how surely a row is meant, on a scale of its own that is not stretched to
the list: where nothing fits, nothing changes. With f the fused score of a row and f⁺ the best one,

    g = f + w · f⁺ · s        score = g · f⁺ / g⁺

so a row that the list does not name keeps its place among the others that it does not name either,
and the best one keeps its score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from indexes.carried import Allowed
from indexes.queries import Query
from indexes.ranking import Ranking


@dataclass(frozen=True, slots=True)
class Through:
    """What a row was found through: the id and the words of what points at it, and its score."""

    id: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class FurtherRanking:
    """Rows with their scores in [0, 1], best first; and what each of them was found through."""

    ranking: Ranking
    through: Mapping[int, Through] = field(default_factory=dict)


class FurtherList(Protocol):
    """Gives a list of rows for each query.

    Attributes:
        name: what the list is called beside the stages.
        weight: w above; 0 or more.
    """

    @property
    def name(self) -> str: ...

    @property
    def weight(self) -> float: ...

    def rank(
        self, queries: Sequence[Query], depth: int, masks: Sequence[Allowed | None]
    ) -> list[FurtherRanking]:
        """For each query at most `depth` of the rows that its mask lets through."""
        ...


def with_further(fused: Mapping[int, float], ranking: Ranking, weight: float) -> dict[int, float]:
    """The fused scores of one query with those of a further list, by row."""
    best = max(fused.values(), default=0.0) or 1.0
    total = dict(fused)
    for row, score in zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True):
        total[row] = total.get(row, 0.0) + weight * best * score
    highest = max(total.values(), default=0.0)
    return {row: score * (best / highest) for row, score in total.items()} if highest else total
