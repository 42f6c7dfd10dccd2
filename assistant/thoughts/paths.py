"""Around a node, and from one node to another; bounded on hubs and cycles."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from assistant.errors import GraphError
from assistant.thoughts.model import Fact
from assistant.thoughts.state import GraphState

Direction = Literal["out", "in", "both"]

MAX_STEPS = 200_000  # facts looked at


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A fact seen from one of its ends; `node` is the other."""

    fact: str
    node: str
    direction: Literal["out", "in"]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The facts with the most evidence first; `found` is how many there are in all."""

    node: str
    neighbours: tuple[Neighbour, ...]
    found: int


@dataclass(frozen=True, slots=True)
class Way:
    """Nodes from start to goal, and for each step the ids of the facts that lead there."""

    nodes: tuple[str, ...]
    facts: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        """In steps."""
        return len(self.facts)


@dataclass(frozen=True, slots=True)
class Paths:
    """The shortest first; `complete` is False where the bound on work was reached before."""

    paths: tuple[Way, ...]
    complete: bool


def counts(fact: Fact, negated: bool, hedged: bool) -> bool:
    """Whether a fact counts for a question that asks (or not) for negated and hedged ones too."""
    return not fact.obsolete and (negated or not fact.negated) and (hedged or not fact.hedged)


def neighbours(
    graph: GraphState,
    node: str,
    *,
    direction: Direction = "both",
    relations: tuple[str, ...] | None = None,
    negated: bool = False,
    hedged: bool = False,
    limit: int = 50,
) -> Neighbourhood:
    """The facts of a node, in a fixed order: by pieces of evidence, confidence, id.

    Args:
        node: its id.
        relations: only these.

    Raises:
        GraphError: there is no such node.
    """
    graph.node(node)
    found: list[tuple[tuple[int, float, str], Neighbour]] = []
    sides: tuple[Literal["out", "in"], ...] = ("out", "in") if direction == "both" else (direction,)
    for side in sides:
        index = graph.outgoing(node) if side == "out" else graph.incoming(node)
        for relation in index if relations is None else relations:
            for fact in map(graph.table.__getitem__, index.get(relation, ())):
                loop_seen = side == "in" and direction == "both" and fact.subject == node
                if loop_seen or not counts(fact, negated, hedged):
                    continue
                order = (-len(fact.evidence), -fact.confidence, fact.id)
                other = fact.object if side == "out" else fact.subject
                found.append((order, Neighbour(fact.id, other, side)))
    first = heapq.nsmallest(limit, found, key=lambda pair: pair[0])
    return Neighbourhood(node, tuple(neighbour for _, neighbour in first), len(found))


def shortest_paths(
    graph: GraphState,
    start: str,
    goal: str,
    *,
    max_length: int = 4,
    directed: bool = False,
    negated: bool = False,
    hedged: bool = False,
    limit: int = 3,
    max_steps: int = MAX_STEPS,
) -> Paths:
    """The `limit` shortest ways without a node twice, by length and then by their nodes' ids.

    First the distances from the goal, breadth first, then for each length a walk from the start
    that only goes where the rest is near enough.

    Raises:
        GraphError: there is no such node, or start and goal are the same.
    """
    for identity in (start, goal):
        graph.node(identity)
    if start == goal:
        raise GraphError("a path from a node to itself", remedy="name two different nodes")
    finder = _Finder(graph, directed, negated, hedged, max_steps)
    near = finder.distances(goal, start, max_length)
    found: list[tuple[str, ...]] = []
    for length in range(near.get(start, max_length + 1), max_length + 1):
        for nodes in finder.walks((start,), goal, length, near):
            found.append(nodes)
            if len(found) == limit:
                break
        if len(found) == limit or finder.steps < 0:
            break
    ways = [Way(nodes, finder.between(nodes)) for nodes in found]
    return Paths(tuple(ways), finder.steps >= 0)


class _Finder:
    def __init__(
        self, graph: GraphState, directed: bool, negated: bool, hedged: bool, steps: int
    ) -> None:
        self._graph = graph
        self._directed, self._negated, self._hedged = directed, negated, hedged
        self.steps = steps

    def distances(self, goal: str, start: str, most: int) -> dict[str, int]:
        """Steps to the goal, of the nodes that are at most `most` away."""
        near = {goal: 0}
        level = [goal]
        for distance in range(1, most + 1):
            reached: list[str] = []
            for node in level:
                for other in self._next(node, backwards=True):
                    if other not in near:
                        near[other] = distance
                        reached.append(other)
                if self.steps < 0:
                    return near
            level = reached
        return near

    def walks(
        self, walked: tuple[str, ...], goal: str, length: int, near: dict[str, int]
    ) -> Iterator[tuple[str, ...]]:
        """The ways of exactly that many more steps, in the order of their nodes' ids."""
        if self.steps < 0:
            return
        left = length - 1
        reachable = {n for n in self._next(walked[-1]) if near.get(n, length) <= left}
        for node in sorted(reachable):
            if node == goal:
                if not left:
                    yield (*walked, node)
            elif left and node not in walked:
                yield from self.walks((*walked, node), goal, left, near)

    def between(self, nodes: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """For each step the facts that join its ends, in the direction allowed."""
        steps = []
        for first, second in pairwise(nodes):
            ids = list(self._graph.joining(first, second))
            if not self._directed:
                ids += self._graph.joining(second, first)
            table = self._graph.table
            steps.append(
                tuple(sorted(i for i in ids if counts(table[i], self._negated, self._hedged)))
            )
        return tuple(steps)

    def _next(self, node: str, *, backwards: bool = False) -> Iterator[str]:
        """The nodes one step away; as often as there are facts."""
        graph, table = self._graph, self._graph.table
        indexes = []
        if not (self._directed and backwards):
            indexes.append((graph.outgoing(node), True))
        if not (self._directed and not backwards):
            indexes.append((graph.incoming(node), False))
        for index, out in indexes:
            for ids in index.values():
                for identity in ids:
                    self.steps -= 1
                    if self.steps < 0:
                        return
                    fact = table[identity]
                    if counts(fact, self._negated, self._hedged):
                        yield fact.object if out else fact.subject
