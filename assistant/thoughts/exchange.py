"""A graph as text in a format that others read, and back.

GraphML and JSON-LD hold the whole state, without loss; KGCL the whole log; Mermaid is a drawing
of its greater part and cannot be read back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assistant.errors import GraphError, UnknownNameError, UsageError
from assistant.thoughts.changes import Change, CreateEdge, CreateNode, ReviseEdge, ReviseNode
from assistant.thoughts.diff import difference
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.graphml import from_graphml, to_graphml
from assistant.thoughts.jsonld import from_jsonld, to_jsonld
from assistant.thoughts.kgcl import from_kgcl, to_kgcl
from assistant.thoughts.mermaid import to_mermaid
from assistant.thoughts.state import GraphState, Snapshot

# A graph of 100,000 facts with their evidence is about half of it.
MAX_CHARACTERS = 100_000_000

_WRITERS: dict[str, Callable[[ThoughtGraph], str]] = {
    "graphml": lambda graph: to_graphml(graph.snapshot()),
    "jsonld": lambda graph: to_jsonld(graph.snapshot()),
    "kgcl": lambda graph: to_kgcl(graph.log),
    "mermaid": lambda graph: to_mermaid(graph.snapshot()),
}
_READERS: dict[str, Callable[[str], Snapshot]] = {
    "graphml": from_graphml,
    "jsonld": from_jsonld,
    "kgcl": lambda text: ThoughtGraph.replay(from_kgcl(text)).snapshot(),
}
FORMATS = tuple(_WRITERS)
IMPORT_FORMATS = tuple(_READERS)


def export(graph: ThoughtGraph, format: str) -> str:
    """The graph in one of `FORMATS`.

    Raises:
        UnknownNameError: no such format.
    """
    if format not in _WRITERS:
        raise UnknownNameError("format", format, FORMATS)
    return _WRITERS[format](graph)


def import_graph(text: str, format: str, *, name: str = "a file") -> ThoughtGraph:
    """A graph from one of `IMPORT_FORMATS`, made by one batch of the person's.

    Args:
        name: where the text is from; the batch's reason is "imported from NAME".

    Raises:
        UnknownNameError: no such format.
        UsageError: the text is not of that format, or too long.
        GraphError: what it says makes no graph: unknown kinds, missing ends, names too long.
    """
    if format not in _READERS:
        raise UnknownNameError("format to import", format, IMPORT_FORMATS)
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"{name} has {len(text):,} characters: at most {MAX_CHARACTERS:,} are read",
            remedy="import it in parts",
        )
    return graph_of(_READERS[format](text), reason=f"imported from {name}")


def graph_of(snapshot: Snapshot, *, reason: str) -> ThoughtGraph:
    """The graph of these nodes and facts, made by one batch of the person's; empty for none.

    Raises:
        GraphError: an id occurs twice, or an end of a fact is missing.
    """
    for things in (snapshot.nodes, snapshot.facts):
        seen: set[str] = set()
        for thing in things:
            if thing.id in seen:
                raise GraphError(f"{thing.id[:80]!r} occurs twice", remedy="give it once")
            seen.add(thing.id)
    graph = ThoughtGraph()
    if changes := difference(Snapshot((), ()), snapshot):
        graph.apply(changes, author="person", reason=reason)
    return graph


def additions(graph: GraphState, more: Snapshot) -> list[Change]:
    """What has to change for the graph to hold `more` too; nothing that it holds is lost.

    A node that is there keeps its label and takes the other's names as aliases; a fact that is
    there takes the other's evidence. Applied again, there is nothing left to change.
    """
    changes: list[Change] = []
    for node in more.nodes:
        if node.id not in graph:
            changes.append(CreateNode(node))
            continue
        old = graph.node(node.id)
        others = {*node.aliases, node.label} - {old.label, *old.aliases}
        if others:
            aliases = (*old.aliases, *sorted(others))
            changes.append(ReviseNode(old, replace(old, aliases=aliases)))
    for fact in more.facts:
        if fact.id not in graph:
            changes.append(CreateEdge(fact))
            continue
        kept = graph.fact(fact.id)
        richer = kept.with_evidence(fact.evidence, fact.confidence)
        if richer != kept:
            changes.append(ReviseEdge(kept, richer))
    return changes
