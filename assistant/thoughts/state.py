"""The state of a graph: nodes and facts, how they are read, and how one change alters them.

`assistant.thoughts.graph.ThoughtGraph` adds the log; nothing else changes a state.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from assistant.errors import GraphError
from assistant.thoughts.changes import (
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
from assistant.thoughts.model import Fact, Node, NodeKind, normal_form
from assistant.thoughts.relations import lemmas

# Insertion-ordered sets, so that what is read from them has a fixed order.
_Ids = dict[str, None]
_NONE: dict[str, _Ids] = {}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a graph holds, sorted by id: equal for equal graphs, however they came about."""

    nodes: tuple[Node, ...]
    facts: tuple[Fact, ...]


class GraphState:
    """Nodes and facts."""

    def __init__(self) -> None:
        # Edge key = fact id; nodes and facts themselves are kept beside, by id.
        self._graph: Any = nx.MultiDiGraph()
        self._nodes: dict[str, Node] = {}
        self._facts: dict[str, Fact] = {}
        self._by_name: dict[str, _Ids] = {}
        self._by_relation: dict[str, _Ids] = {}
        self._by_lemma: dict[str, _Ids] = {}  # to relations
        # Node id → relation → fact ids: a hub's few facts of one relation are found at once.
        self._outgoing: dict[str, dict[str, _Ids]] = {}
        self._incoming: dict[str, dict[str, _Ids]] = {}

    # -- reading ----------------------------------------------------------------------------

    @property
    def networkx(self) -> Any:
        """The underlying `MultiDiGraph` of ids (edge key = fact id), to be read only."""
        return self._graph

    def __len__(self) -> int:
        """How many facts there are, obsolete ones included."""
        return len(self._facts)

    def __contains__(self, identity: str) -> bool:
        return identity in self._nodes or identity in self._facts

    def node(self, identity: str) -> Node:
        """The node of that id.

        Raises:
            GraphError: there is none.
        """
        try:
            return self._nodes[identity]
        except KeyError:
            raise GraphError(f"there is no node {identity[:80]!r}") from None

    def fact(self, identity: str) -> Fact:
        """The fact of that id.

        Raises:
            GraphError: there is none.
        """
        try:
            return self._facts[identity]
        except KeyError:
            raise GraphError(f"there is no fact {identity[:80]!r}") from None

    def nodes(self, kind: NodeKind | None = None) -> Iterator[Node]:
        """The nodes (of one kind), in the order they came in."""
        return (n for n in self._nodes.values() if kind is None or n.kind == kind)

    def facts(self, relation: str | None = None, *, obsolete: bool = False) -> Iterator[Fact]:
        """The facts (of one relation), in the order they came in.

        Args:
            obsolete: also those that no longer count.
        """
        ids: Iterable[str] = (
            self._facts if relation is None else self._by_relation.get(relation, {})
        )
        return (f for f in map(self._facts.__getitem__, ids) if obsolete or not f.obsolete)

    def relations(self) -> tuple[str, ...]:
        return tuple(self._by_relation)

    def relations_sharing_words(self, relation: str) -> list[str]:
        """The relations that have a lemma in common with this one, in the order they came in."""
        found: _Ids = {}
        for lemma in sorted(lemmas(relation)):
            found.update(self._by_lemma.get(lemma, {}))
        return list(found)

    # The next five give *all* facts, obsolete ones included, and how many there are, at once: what
    # a join needs. They are to be read only.

    @property
    def table(self) -> Mapping[str, Fact]:
        """The facts by id."""
        return self._facts

    def outgoing(self, identity: str) -> Mapping[str, Collection[str]]:
        """Fact ids by relation, with this node as subject."""
        return self._outgoing.get(identity, _NONE)

    def incoming(self, identity: str) -> Mapping[str, Collection[str]]:
        """Fact ids by relation, with this node as object."""
        return self._incoming.get(identity, _NONE)

    def joining(self, subject: str, object_: str) -> Collection[str]:
        """Fact ids from one node to another."""
        found: Collection[str] = self._graph.get_edge_data(subject, object_, default=())
        return found

    def with_relation(self, relation: str | None = None) -> Collection[str]:
        """Fact ids of one relation, or of all."""
        return self._facts if relation is None else self._by_relation.get(relation, {})

    def facts_of(
        self, identity: str, *, as_subject: bool = True, as_object: bool = True
    ) -> Iterator[Fact]:
        """The facts that count with this node as subject, as object, or either."""
        if identity not in self._nodes:
            return
        if as_subject:
            for _, _, key in self._graph.out_edges(identity, keys=True):
                if not self._facts[key].obsolete:
                    yield self._facts[key]
        if as_object:
            for start, _, key in self._graph.in_edges(identity, keys=True):
                loop_seen = as_subject and start == identity
                if not loop_seen and not self._facts[key].obsolete:
                    yield self._facts[key]

    def between(self, subject: str, object_: str) -> list[Fact]:
        """The facts that count from one node to another."""
        if not self._graph.has_edge(subject, object_):
            return []
        found = (self._facts[key] for key in self._graph[subject][object_])
        return [fact for fact in found if not fact.obsolete]

    def named(self, name: str) -> list[Node]:
        """The nodes with that label or alias, in its normal form."""
        return [self._nodes[i] for i in self._by_name.get(normal_form(name), {})]

    def snapshot(self) -> Snapshot:
        return Snapshot(
            tuple(self._nodes[i] for i in sorted(self._nodes)),
            tuple(self._facts[i] for i in sorted(self._facts)),
        )

    # -- changing ---------------------------------------------------------------------------

    def _one(self, change: Change) -> None:
        """Make one change, or raise GraphError and leave everything as it was."""
        match change:
            case CreateNode(node):
                if node.id in self._nodes:
                    raise GraphError(f"there is a node {node.id[:80]!r} already")
                self._put_node(node)
            case DeleteNode(node):
                self._same(self.node(node.id), node)
                if self._graph.degree(node.id):
                    raise GraphError(f"node {node.id[:80]!r} still has facts")
                self._drop_node(node)
            case RenameNode(identity, old, new):
                node = self.node(identity)
                self._same(node.label, old)
                self._put_node(replace(node, label=new), before=node)
            case ReviseNode(old, new):
                self._same(self.node(old.id), old)
                self._same((new.id, new.kind, new.label), (old.id, old.kind, old.label))
                self._put_node(new, before=old)
            case CreateEdge(fact):
                if fact.id in self._facts:
                    raise GraphError(f"there is a fact {fact.id} already")
                self._check_ends(fact)
                self._put_fact(fact)
            case DeleteEdge(fact):
                self._same(self.fact(fact.id), fact)
                self._drop_fact(fact)
            case MoveEdge(identity, end, old, new):
                fact = self.fact(identity)
                self._same(getattr(fact, end), old)
                moved = (
                    replace(fact, subject=new) if end == "subject" else replace(fact, object=new)
                )
                self._check_ends(moved)
                self._drop_fact(fact)
                self._put_fact(moved)
            case ReviseEdge(old, new):
                self._same(self.fact(old.id), old)
                ends = (old.id, old.subject, old.relation, old.object)
                self._same((new.id, new.subject, new.relation, new.object), ends)
                self._facts[old.id] = new
            case ObsoleteEdge(identity, reason):
                fact = self.fact(identity)
                if fact.obsolete or not reason:
                    raise GraphError(f"fact {identity} is obsolete already, or no reason is given")
                self._facts[identity] = replace(fact, obsolete=reason)
            case RestoreEdge(identity, reason):
                fact = self.fact(identity)
                if not fact.obsolete:
                    raise GraphError(f"fact {identity} is not obsolete")
                self._same(fact.obsolete, reason)
                self._facts[identity] = replace(fact, obsolete="")

    @staticmethod
    def _same(found: object, expected: object) -> None:
        if found != expected:
            raise GraphError(f"expected {str(expected)[:200]}, found {str(found)[:200]}")

    def _put_node(self, node: Node, before: Node | None = None) -> None:
        if before is not None:
            self._forget_names(before)
        self._nodes[node.id] = node
        self._graph.add_node(node.id)
        for name in (node.label, *node.aliases):
            self._by_name.setdefault(normal_form(name), {})[node.id] = None

    def _drop_node(self, node: Node) -> None:
        self._forget_names(node)
        self._outgoing.pop(node.id, None)
        self._incoming.pop(node.id, None)
        del self._nodes[node.id]
        self._graph.remove_node(node.id)

    def _forget_names(self, node: Node) -> None:
        for name in (node.label, *node.aliases):
            self._discard(self._by_name, normal_form(name), node.id)

    def _check_ends(self, fact: Fact) -> None:
        for end in (fact.subject, fact.object):
            if self.node(end).kind not in ("entity", "value"):
                raise GraphError(f"a fact joins entities and values, not {end[:80]!r}")

    def _put_fact(self, fact: Fact) -> None:
        self._facts[fact.id] = fact
        self._graph.add_edge(fact.subject, fact.object, key=fact.id)
        if fact.relation not in self._by_relation:
            for lemma in lemmas(fact.relation):
                self._by_lemma.setdefault(lemma, {})[fact.relation] = None
        for index, key in self._fact_indexes(fact):
            index.setdefault(key, {})[fact.id] = None

    def _drop_fact(self, fact: Fact) -> None:
        del self._facts[fact.id]
        self._graph.remove_edge(fact.subject, fact.object, key=fact.id)
        for index, key in self._fact_indexes(fact):
            self._discard(index, key, fact.id)
        if fact.relation not in self._by_relation:
            for lemma in lemmas(fact.relation):
                self._discard(self._by_lemma, lemma, fact.relation)

    def _fact_indexes(self, fact: Fact) -> tuple[tuple[dict[str, _Ids], str], ...]:
        return (
            (self._by_relation, fact.relation),
            (self._outgoing.setdefault(fact.subject, {}), fact.relation),
            (self._incoming.setdefault(fact.object, {}), fact.relation),
        )

    @staticmethod
    def _discard(index: dict[str, _Ids], key: str, identity: str) -> None:
        members = index.get(key, {})
        members.pop(identity, None)
        if not members:
            index.pop(key, None)
