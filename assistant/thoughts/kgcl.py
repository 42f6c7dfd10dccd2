"""The change log as KGCL text (Knowledge Graph Change Language, INCATools), without loss.

One line is one statement. Where KGCL has the statement it is KGCL's own:

    create node entity:eiffel_tower 'Eiffel Tower' # {"type": "building"}
    create edge entity:stephen_sauvestre design entity:eiffel_tower # {"confidence": 0.9}
    rename entity:eiffel_tower from 'Eiffel Tower' to 'Tour Eiffel'
    create synonym 'La Tour Eiffel' for entity:eiffel_tower
    add definition 'A tower in Paris.' to entity:eiffel_tower
    move entity:a design entity:b from entity:b to entity:c
    delete edge entity:a design entity:c
    delete entity:c

KGCL's grammar has no words for an obsolete *edge* though its model does, nor for what is known
about an edge, so two forms are ours:

    obsolete edge S P O # {"reason": "…"}      and      unobsolete edge S P O
    change annotation of fact:ID with confidence from '0.5' to '0.9'

What no statement can say stands behind ` # ` as JSON. A batch begins with a comment,
`# batch 3 by rule at step 1: 'reason'`. Change of several fields of a node or fact is several
statements; all but the first carry the note `"joined": true`, and are one change together.

Ids are single words: `_` is a space, other characters that cannot stand in a word are
percent-encoded. A statement names an edge by its ends; the note has its `id` only where there are
several such edges, or the id does not follow from what the fact says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

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
from assistant.thoughts.kgcl_reader import from_kgcl
from assistant.thoughts.kgcl_words import edges_between, encoded, identity_of, note, quoted
from assistant.thoughts.model import Evidence, Fact, Node

__all__ = ["from_kgcl", "to_kgcl"]

_NODE_NOTES = ("type", "aliases", "description", "status", "why")
_NODE_TEXTS = ("type", "description", "status", "why")
_FACT_FIELDS = (
    "evidence",
    "confidence",
    "valid_from",
    "valid_to",
    "step",
    "negated",
    "hedged",
    "obsolete",
)


def to_kgcl(batches: Iterable[Batch], base: ThoughtGraph | None = None) -> str:
    """The log as text; `from_kgcl` reads the same log back.

    Args:
        base: the graph that the first batch was applied to, where that was not the empty one.

    Raises:
        GraphError: the batches do not fit together.
    """
    graph = ThoughtGraph.replay(base.log if base is not None else ())
    lines: list[str] = []
    for batch in batches:
        if lines:
            lines.append("")
        lines.append(
            f"# batch {batch.number} by {batch.author} at step {batch.step}: {quoted(batch.reason)}"
        )
        for change in batch.changes:
            lines += _statements(change, graph)
            graph.apply([change], author=batch.author, reason=batch.reason)
    return "".join(f"{line}\n" for line in lines)


def word(identity: str) -> str:
    """A node's id as one word of KGCL."""
    return encoded(identity, spaces=not identity.startswith("passage:"))


def _statements(change: Change, graph: ThoughtGraph) -> Iterator[str]:
    match change:
        case CreateNode(node):
            yield f"create node {word(node.id)} {quoted(node.label)}{_notes(node, _NODE_NOTES)}"
        case DeleteNode(node):
            yield f"delete {word(node.id)}"
        case RenameNode(identity, old, new):
            yield f"rename {word(identity)} from {quoted(old)} to {quoted(new)}"
        case ReviseNode(old_node, new_node):
            yield from _joined(_revised_node(old_node, new_node))
        case CreateEdge(fact):
            more = _set_fields(fact, _FACT_FIELDS)
            if fact.id != identity_of(fact):
                more = {"id": fact.id, **more}
            yield f"create edge {_edge(fact)}{note(more)}"
        case DeleteEdge(fact):
            yield f"delete edge {_edge(fact)}{note(_which(fact, graph))}"
        case MoveEdge(identity, end, old, new):
            fact = graph.fact(identity)
            more = _which(fact, graph)
            if end == "subject":  # in KGCL it is the object that moves
                more["end"] = end
            yield f"move {_edge(fact)} from {word(old)} to {word(new)}{note(more)}"
        case ObsoleteEdge(identity, reason):
            fact = graph.fact(identity)
            more = {**_which(fact, graph), "reason": reason}
            yield f"obsolete edge {_edge(fact)}{note(more)}"
        case RestoreEdge(identity, _):
            fact = graph.fact(identity)
            yield f"unobsolete edge {_edge(fact)}{note(_which(fact, graph))}"
        case ReviseEdge(old_fact, new_fact):
            yield from _joined(_revised_fact(old_fact, new_fact))


def _revised_node(old: Node, new: Node) -> Iterator[tuple[str, dict[str, Any]]]:
    name = word(old.id)
    for alias in sorted(set(old.aliases) - set(new.aliases)):
        yield f"remove synonym {quoted(alias)} for {name}", {}
    for alias in sorted(set(new.aliases) - set(old.aliases)):
        yield f"create synonym {quoted(alias)} for {name}", {}
    same = old == new  # a change that changes nothing is a statement all the same
    for field in _NODE_TEXTS:
        before, after = getattr(old, field), getattr(new, field)
        if field == "description" and after and not before:
            yield f"add definition {quoted(after)} to {name}", {}
        elif before != after or (same and field == "type"):
            yield _annotation(name, field, before, after), {}


def _revised_fact(old: Fact, new: Fact) -> Iterator[tuple[str, dict[str, Any]]]:
    name = f"fact:{encoded(old.id)}"
    for field in _FACT_FIELDS:
        before, after = getattr(old, field), getattr(new, field)
        if field == "evidence" and before != after:
            # Too much for a statement: it says how many sources there are, the note which.
            more = {"evidence": [_evidence(item) for item in after]}
            yield _annotation(name, field, len(before), len(after)), more
        elif before != after or (old == new and field == "confidence"):
            yield _annotation(name, field, _shown(before), _shown(after)), {}


def _annotation(name: str, field: str, before: object, after: object) -> str:
    return (
        f"change annotation of {name} with {field}"
        f" from {quoted(str(before))} to {quoted(str(after))}"
    )


def _shown(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _joined(statements: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    for position, (statement, more) in enumerate(statements):
        yield statement + note({"joined": True, **more} if position else more)


def _edge(fact: Fact) -> str:
    return f"{word(fact.subject)} {encoded(fact.relation)} {word(fact.object)}"


def _which(fact: Fact, graph: ThoughtGraph) -> dict[str, Any]:
    """The fact's id, where its ends and relation do not say which it is."""
    alike = edges_between(graph, fact.subject, fact.relation, fact.object)
    return {} if len(alike) == 1 else {"id": fact.id}


def _notes(node: Node, fields: tuple[str, ...]) -> str:
    return note(_set_fields(node, fields))


def _set_fields(thing: Node | Fact, fields: tuple[str, ...]) -> dict[str, Any]:
    """The fields that differ from their defaults, as JSON has them."""
    defaults = {field.name: field.default for field in dataclasses.fields(thing)}
    found: dict[str, Any] = {}
    for field in fields:
        value = getattr(thing, field)
        if value != defaults[field]:
            plain = [_evidence(e) for e in value] if field == "evidence" else value
            found[field] = list(plain) if isinstance(plain, tuple) else plain
    return found


def _evidence(item: Evidence) -> dict[str, Any]:
    """Evidence without the fields that say nothing."""
    said = {key: value for key, value in dataclasses.asdict(item).items() if value not in ("", 0)}
    return {"kind": item.kind, "source": item.source, **said}
