"""Which passages to read: personalised PageRank over the passages and what they mention.

A passage that answers half of a question names the thing that the other half is about. The walk
starts at the passages that were found for the question, goes to the entities they mention, and from
there to other passages: above all those that are *about* such an entity (its title's). The idea is
HippoRAG's (Gutiérrez et al., NeurIPS 2024, section 2); here passages and entities are the two sides
of one bipartite graph, so that no fact needs to be extracted right for the walk to find the way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

# An entity's own passage is worth this many mentions of an entity that nothing else mentions.
ABOUT = 2.0
ROUNDS = 20  # of the power iteration; .7 ** 20 < .001 of the mass is still on its way


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A passage mentions an entity; `about`: it is about it."""

    passage_id: str
    entity_id: str
    about: bool = False


class Links:
    """Passages × entities: who mentions what.

    Args:
        mentions: in any order; repeated ones count once.

    The weight of a mention is 1 / (number of passages with that entity): what everything mentions
    leads nowhere. A passage's own subject weighs `ABOUT`.
    """

    def __init__(self, mentions: Collection[Mentioned]) -> None:
        about: dict[tuple[str, str], bool] = {}
        for m in mentions:
            key = (m.passage_id, m.entity_id)
            about[key] = about.get(key, False) or m.about
        self.passages: list[str] = sorted({passage for passage, _ in about})
        self.entities: list[str] = sorted({entity for _, entity in about})
        self._row = {passage: row for row, passage in enumerate(self.passages)}
        self._column = {entity: column for column, entity in enumerate(self.entities)}
        rows = np.array([self._row[p] for p, _ in about], dtype=np.int64)
        columns = np.array([self._column[e] for _, e in about], dtype=np.int64)
        is_about = np.array(list(about.values()), dtype=bool)
        frequency = np.bincount(columns[~is_about], minlength=len(self.entities))
        weights = np.where(is_about, ABOUT, 1.0 / np.maximum(frequency[columns], 1))
        shape = (len(self.passages), len(self.entities))
        self.matrix = sp.csr_matrix((weights, (rows, columns)), shape=shape, dtype=np.float64)
        self._about = sp.csr_matrix(
            (np.ones(int(is_about.sum())), (rows[is_about], columns[is_about])), shape=shape
        )

    def __len__(self) -> int:
        return len(self.passages)

    def entities_in(self, passage_id: str) -> list[str]:
        """The entities that a passage mentions, by id."""
        row = self._row.get(passage_id)
        if row is None:
            return []
        return [self.entities[column] for column in sorted(self.matrix[row].indices)]

    def passages_about(self, entity_id: str) -> list[str]:
        """The passages that are about an entity, by id."""
        column = self._column.get(entity_id)
        if column is None:
            return []
        return [self.passages[row] for row in sorted(self._about_by_entity[column].indices)]

    @cached_property
    def _about_by_entity(self) -> sp.csr_matrix:
        return self._about.T.tocsr()

    @cached_property
    def to_entities(self) -> sp.csr_matrix:
        """Entities × passages: where a walker in a passage goes; columns sum to 1."""
        return _rows_to_one(self.matrix).T.tocsr()

    @cached_property
    def to_passages(self) -> sp.csr_matrix:
        """Passages × entities: where a walker at an entity goes; columns sum to 1."""
        return _rows_to_one(self.matrix.T.tocsr()).T.tocsr()

    def walk(self, seeds: Mapping[str, float], *, onward: float) -> dict[str, float]:
        """Personalised PageRank of the passages: where a walker is who starts at the seeds.

        Args:
            seeds: passages and how often the walk starts there; need not sum to 1.
            onward: the probability of going on at each passage (the damping factor), in (0, 1).

        Returns:
            the mass that *arrived* at each passage, without what started there; the largest is 1.
            Passages where nothing arrived are not in it.
        """
        start = np.zeros(len(self.passages))
        for passage, weight in seeds.items():
            if (row := self._row.get(passage)) is not None:
                start[row] = max(weight, 0.0)
        if not start.sum():
            return {}
        start /= start.sum()
        at = start
        for _ in range(ROUNDS):
            at = (1 - onward) * start + onward * (self.to_passages @ (self.to_entities @ at))
        arrived = at - (1 - onward) * start
        # Probabilities below this are the rounding of the iteration, not a way through the graph.
        rows = np.flatnonzero(arrived > 1e-9)
        if not len(rows):
            return {}
        best = float(arrived.max())
        return {self.passages[row]: float(arrived[row]) / best for row in rows}


def _rows_to_one(matrix: sp.csr_matrix) -> sp.csr_matrix:
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    sums[sums == 0] = 1.0
    return sp.diags(1.0 / sums) @ matrix


def blended(
    found: Sequence[tuple[str, float]], walked: Mapping[str, float], weight: float
) -> list[tuple[str, float]]:
    """Passages by what the search gave them plus `weight` times what the walk gave them.

    Args:
        found: passages with fused scores, best first; scaled so that the best has 1.
        walked: as `Links.walk` returns; passages that the search did not find come in by it.

    Returns:
        passages with their sum, best first; equal ones by id.
    """
    best = max((score for _, score in found), default=0.0) or 1.0
    totals = {passage: score / best for passage, score in found}
    for passage, mass in walked.items():
        totals[passage] = totals.get(passage, 0.0) + weight * mass
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))
