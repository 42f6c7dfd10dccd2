"""From an operation that changes the graph to the changes it consists of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assistant.errors import GraphError
from assistant.thoughts.changes import (
    Author,
    Change,
    CreateEdge,
    CreateNode,
    DeleteNode,
    MoveEdge,
    ObsoleteEdge,
    RestoreEdge,
    ReviseEdge,
    ReviseNode,
)
from assistant.thoughts.matching import node_ids
from assistant.thoughts.model import Evidence, Fact, Node, fact_id, make_fact, node_id
from assistant.thoughts.operations import AddFact, Retract, Thing
from assistant.thoughts.relations import relation_form
from assistant.thoughts.results import AddOutcome
from assistant.thoughts.state import GraphState

_Said = tuple[str, str, str, bool, str, str]


@dataclass(frozen=True, slots=True)
class Addition:
    """The changes that add a fact; none where nothing new is said."""

    changes: tuple[Change, ...]
    fact: str  # its id
    outcome: AddOutcome
    created: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merging:
    changes: tuple[Change, ...]
    keep: str
    moved: tuple[str, ...]
    obsolete: tuple[str, ...]


def one_node(graph: GraphState, name: str) -> Node:
    """The one entity or value of that id or name.

    Raises:
        GraphError: there is none, or several and none has just this name.
    """
    found = node_ids(graph, name)
    exact = [i for i in found if i in (node_id("entity", name), node_id("value", name))]
    if len(exact) == 1 or len(found) == 1:
        return graph.node((exact or found)[0])
    if not found:
        raise GraphError(f"nothing is called {name[:80]!r}", remedy="use a name of the graph")
    raise GraphError(
        f"{name[:80]!r} names several things", remedy=f"say which: {', '.join(sorted(found)[:5])}"
    )


def addition(
    graph: GraphState,
    operation: AddFact,
    evidence: tuple[Evidence, ...],
    author: Author,
    step: int,
) -> Addition:
    """The changes that make a fact hold, with the nodes that it needs.

    Raises:
        GraphError: both ends are one thing under two names; or it was retracted, and not a person
            says it again.
    """
    changes: list[Change] = []
    subject = _end(graph, operation.subject, changes)
    object_ = _end(graph, operation.object, changes)
    if subject == object_ and operation.subject.name != operation.object.name:
        raise GraphError(
            f"{operation.subject.name!r} and {operation.object.name!r} are the same thing",
            remedy="a fact joins two things",
        )
    created = tuple(c.node.id for c in changes if isinstance(c, CreateNode))
    new = make_fact(
        subject,
        relation_form(operation.relation),
        object_,
        evidence=evidence,
        confidence=operation.confidence,
        valid_from=operation.valid_from,
        valid_to=operation.valid_to,
        step=step,
        negated=operation.negated,
        hedged=operation.hedged,
    )
    equal = [f for f in map(graph.fact, graph.joining(subject, object_)) if said(f) == said(new)]
    living = [fact for fact in equal if not fact.obsolete]
    if living:
        old, more = living[0], combined(living[0], new)
        if more != old:
            changes.append(ReviseEdge(old, more))
        return Addition(tuple(changes), old.id, "evidence" if more != old else "known", created)
    if equal:
        old = equal[0]
        if author != "person":
            raise GraphError(f"fact {old.id} no longer counts: {old.obsolete[:200]}")
        restored = replace(old, obsolete="")
        changes += [RestoreEdge(old.id, old.obsolete)]
        if combined(restored, new) != restored:
            changes.append(ReviseEdge(restored, combined(restored, new)))
        return Addition(tuple(changes), old.id, "restored", created)
    new = replace(new, id=_free_id(graph, new))
    return Addition((*changes, CreateEdge(new)), new.id, "new", created)


def merging(graph: GraphState, keep_name: str, drop_name: str) -> Merging:
    """The changes that make two nodes one.

    All facts of `drop` are moved, obsolete ones too. A fact between the two would say something of
    one thing and itself: it becomes obsolete, unless it was such a loop before. A fact that `keep`
    has already becomes obsolete too, and its evidence goes to the one that stays.

    Raises:
        GraphError: a name that no or several nodes have, twice the same node, or an entity and a
            value.
    """
    keep, drop = one_node(graph, keep_name), one_node(graph, drop_name)
    if keep.id == drop.id:
        raise GraphError(f"{keep.label!r} cannot be merged with itself", remedy="name two nodes")
    if keep.kind != drop.kind:
        raise GraphError(f"{keep.label!r} is an {keep.kind}, {drop.label!r} is not")
    held = {said(fact): fact for fact in graph.facts_of(keep.id)}
    changes: list[Change] = []
    moved, obsolete = [], []
    for fact in _facts(graph, drop.id):
        now = fact
        if fact.subject == drop.id:
            changes.append(MoveEdge(fact.id, "subject", drop.id, keep.id))
            now = replace(now, subject=keep.id)
        if fact.object == drop.id:
            changes.append(MoveEdge(fact.id, "object", drop.id, keep.id))
            now = replace(now, object=keep.id)
        moved.append(fact.id)
        if fact.obsolete:
            continue
        reason = ""
        if now.subject == now.object and fact.subject != fact.object:
            reason = "both its ends are now the same thing"
        elif said(now) in held:
            old = held[said(now)]
            more = combined(old, now)
            if more != old:
                changes.append(ReviseEdge(old, more))
                held[said(now)] = more
            reason = f"says the same as {old.id}"
        else:
            held[said(now)] = now
        if reason:
            changes.append(ObsoleteEdge(fact.id, reason))
            obsolete.append(fact.id)
    changes += [DeleteNode(drop), ReviseNode(keep, _with_names_of(keep, drop))]
    return Merging(tuple(changes), keep.id, tuple(moved), tuple(obsolete))


def retraction(graph: GraphState, operation: Retract, author: Author) -> ObsoleteEdge:
    """
    Raises:
        GraphError: there is no such fact, it is obsolete already, or the model would take back
            what a person has said.
    """
    fact = graph.fact(operation.fact)
    if author == "model" and any(e.kind == "person" for e in fact.evidence):
        raise GraphError(f"a person has said {fact.id}; only a person can retract it")
    return ObsoleteEdge(fact.id, " ".join(operation.reason.split()))


def said(fact: Fact) -> _Said:
    """What makes two facts the same statement; their ids may differ after a merge."""
    return (
        fact.subject,
        fact.relation,
        fact.object,
        fact.negated,
        fact.valid_from,
        fact.valid_to,
    )


def combined(fact: Fact, other: Fact) -> Fact:
    """One statement with the evidence of both; who says it outright goes before who may."""
    more = fact.with_evidence(other.evidence, other.confidence)
    return replace(more, hedged=fact.hedged and other.hedged)


def _end(graph: GraphState, thing: Thing, changes: list[Change]) -> str:
    """The node's id; what is missing of it is added to `changes`.

    A name that several nodes share as an alias gets a node of its own: which of them is meant is
    for entity resolution to decide, with a merge.
    """
    identity = node_id(thing.kind, thing.name)
    if any(isinstance(c, CreateNode) and c.node.id == identity for c in changes):
        return identity
    alike = [node for node in graph.named(thing.name) if node.kind == thing.kind]
    if identity in graph:
        node = graph.node(identity)
    elif len(alike) == 1:
        node = alike[0]
    else:
        changes.append(CreateNode(Node(identity, thing.kind, thing.name, thing.type)))
        return identity
    if thing.type and not node.type:
        changes.append(ReviseNode(node, replace(node, type=thing.type)))
    return node.id


def _free_id(graph: GraphState, fact: Fact) -> str:
    """The fact's id; another one where a fact that has been moved since still has it."""
    identity = fact.id
    while identity in graph:
        identity = fact_id(identity, fact.relation, fact.object)
    return identity


def _facts(graph: GraphState, node: str) -> Iterator[Fact]:
    ids = {
        i: None
        for index in (graph.outgoing(node), graph.incoming(node))
        for r in index.values()
        for i in r
    }
    return map(graph.fact, ids)


def _with_names_of(keep: Node, drop: Node) -> Node:
    names = {*keep.aliases, drop.label, *drop.aliases} - {keep.label}
    return replace(
        keep,
        aliases=tuple(sorted(names)),
        type=keep.type or drop.type,
        description=keep.description or drop.description,
    )
