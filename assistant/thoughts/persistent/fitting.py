"""A person's changes over a graph that has changed beneath them: fitted to what is there now."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from assistant.errors import GraphError
from assistant.thoughts.changes import (
    Batch,
    Change,
    CreateEdge,
    CreateNode,
    DeleteEdge,
    DeleteNode,
    MoveEdge,
    ObsoleteEdge,
    RenameNode,
    RestoreEdge,
    ReviseEdge,
    ReviseNode,
)
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.persistent import derived
from assistant.thoughts.state import GraphState
from assistant.thoughts.writing import combined


class FittingGraph(ThoughtGraph):
    """A graph whose log is fitted to it, batch by batch."""

    def fit(self, batch: Batch) -> tuple[Change, ...]:
        """Log of a batch what fits, and return what of it is to be kept.

        What is so already is kept, since it may cease to be so; it is not in this graph's log. A
        batch that deletes a node (a merge) fits entirely or not at all.
        """
        made: list[Change] = []
        kept: list[Change] = []
        for change in batch.changes:
            try:
                now = fitted(self, change)
                if now is not None:
                    self._one(now)
                    made.append(now)
                kept.append(change if now is None else now)
            except GraphError:
                if isinstance(change, DeleteNode):
                    for done in reversed(made):
                        self._one(done.inverse())
                    made, kept = [], []
                    break
        number = self._applied + 1
        del self._log[self._applied :]
        self._log.append(replace(batch, number=number, changes=tuple(made)))
        self._applied = number
        return tuple(kept)


def begin(db: sqlite3.Connection, changes: Sequence[Change]) -> FittingGraph:
    """The derived nodes and facts that changes refer to without having made them."""
    wanted_nodes: dict[str, None] = {}
    wanted_facts: dict[str, None] = {}
    made: set[str] = set()
    for change in changes:
        if isinstance(change, CreateNode):
            if change.node.id not in wanted_nodes:
                made.add(change.node.id)
            continue
        if isinstance(change, CreateEdge):
            if change.fact.id not in wanted_facts:
                made.add(change.fact.id)
            ends: tuple[str, ...] = (change.fact.subject, change.fact.object)
            wanted_nodes.update({end: None for end in ends if end not in made})
            continue
        fact, ends = refers_to(change)
        if fact and fact not in made:
            wanted_facts[fact] = None
        wanted_nodes.update({end: None for end in ends if end not in made})
    facts = derived.facts(db, list(wanted_facts))
    for fact_ in facts.values():
        wanted_nodes.update({fact_.subject: None, fact_.object: None})
    nodes = derived.nodes(db, list(wanted_nodes))
    start: list[Change] = [CreateNode(node) for node in nodes.values()]
    start += [CreateEdge(f) for f in facts.values() if f.subject in nodes and f.object in nodes]
    return FittingGraph(start)


def fitted(graph: GraphState, change: Change) -> Change | None:
    """The change as it applies to what is there now; None where that is so already."""
    match change:
        case CreateNode(node):
            return None if node.id in graph else change
        case CreateEdge(fact) if fact.id in graph:
            old = graph.fact(fact.id)
            more = combined(old, fact)
            return ReviseEdge(old, more) if more != old else None
        case DeleteNode(node):
            return DeleteNode(graph.node(node.id))
        case RenameNode(identity, _, new):
            return RenameNode(identity, graph.node(identity).label, new)
        case ReviseNode(before, after):
            node = graph.node(before.id)
            aliases = (set(node.aliases) - set(before.aliases)) | set(after.aliases)
            values = {
                name: getattr(after, name)
                for name in ("type", "description", "status", "why")
                if getattr(after, name) != getattr(before, name)
            }
            return ReviseNode(node, replace(node, aliases=tuple(sorted(aliases)), **values))
        case DeleteEdge(fact):
            return DeleteEdge(graph.fact(fact.id))
        case ReviseEdge(earlier, later):
            fact = graph.fact(earlier.id)
            others = [e for e in fact.evidence if e not in earlier.evidence]
            values = {
                name: getattr(later, name)
                for name in ("confidence", "valid_from", "valid_to", "negated", "hedged")
                if getattr(later, name) != getattr(earlier, name)
            }
            evidence = tuple(dict.fromkeys((*later.evidence, *others)))
            return ReviseEdge(fact, replace(fact, evidence=evidence, **values))
    return change


def refers_to(change: Change) -> tuple[str, tuple[str, ...]]:
    """The fact ("" if none) and the nodes that a change needs to be there."""
    match change:
        case DeleteNode(node):
            return "", (node.id,)
        case RenameNode(identity):
            return "", (identity,)
        case ReviseNode(old):
            return "", (old.id,)
        case DeleteEdge(fact):
            return fact.id, ()
        case ReviseEdge(earlier):
            return earlier.id, ()
        case MoveEdge(identity, _, before, after):
            return identity, (before, after)
        case ObsoleteEdge(identity) | RestoreEdge(identity):
            return identity, ()
    return "", ()
