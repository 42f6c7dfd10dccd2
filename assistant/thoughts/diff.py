"""The difference of two graphs, as the changes that turn the first into the second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

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
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.state import Snapshot
from assistant.thoughts.verbalise import change_in_words

MOST_LINES = 50


def difference(first: Snapshot, second: Snapshot) -> list[Change]:
    """Changes that fit the first graph and make it the second; none where they are equal.

    Facts go before their nodes, and come after them. A fact of the same id is moved and revised,
    not made anew, so that its history stays one.
    """
    nodes = {node.id: node for node in first.nodes}
    new_nodes = {node.id: node for node in second.nodes}
    new_facts = {fact.id: fact for fact in second.facts}
    kept = [
        (fact, new_facts[fact.id])
        for fact in first.facts
        if fact.id in new_facts and fact.relation == new_facts[fact.id].relation
    ]
    stays = {fact.id for fact, _ in kept}
    changes: list[Change] = [DeleteEdge(f) for f in first.facts if f.id not in stays]
    for node in second.nodes:
        if node.id in nodes:
            changes += _node_changes(nodes[node.id], node)
        else:
            changes.append(CreateNode(node))
    for old, new in kept:
        changes += _fact_changes(old, new)
    changes += [CreateEdge(f) for f in second.facts if f.id not in stays]
    changes += [DeleteNode(node) for node in first.nodes if node.id not in new_nodes]
    return changes


def difference_in_words(changes: Sequence[Change], first: Snapshot, second: Snapshot) -> str:
    """How many changes of each kind, then each in words, at most `MOST_LINES` of them."""
    if not changes:
        return "no difference"
    labels = {node.id: node.label for node in (*first.nodes, *second.nodes)}
    # As a fact was before: what has changed is said beside it.
    facts = {fact.id: fact for fact in (*second.facts, *first.facts)}
    counts = Counter(change.change for change in changes)
    lines = [", ".join(f"{count} × {kind}" for kind, count in counts.most_common())]
    lines += [f"- {change_in_words(c, labels, facts)}" for c in changes[:MOST_LINES]]
    if len(changes) > MOST_LINES:
        lines.append(f"… and {len(changes) - MOST_LINES:,} more")
    return "\n".join(lines)


def _node_changes(old: Node, new: Node) -> Iterator[Change]:
    if old.label != new.label:
        yield RenameNode(old.id, old.label, new.label)
        old = replace(old, label=new.label)
    if old != new:
        yield ReviseNode(old, new)


def _fact_changes(old: Fact, new: Fact) -> Iterator[Change]:
    if old.subject != new.subject:
        yield MoveEdge(old.id, "subject", old.subject, new.subject)
    if old.object != new.object:
        yield MoveEdge(old.id, "object", old.object, new.object)
    old = replace(old, subject=new.subject, object=new.object)
    if replace(old, obsolete=new.obsolete) == new:
        if old.obsolete and not new.obsolete:
            yield RestoreEdge(old.id, old.obsolete)
            return
        if new.obsolete and not old.obsolete:
            yield ObsoleteEdge(old.id, new.obsolete)
            return
    if old != new:
        yield ReviseEdge(old, new)
