"""Small graphs, and hypothesis strategies for changes that fit them."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from assistant.thoughts.changes import Change, CreateEdge, CreateNode
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Evidence, Fact, Node, NodeKind, make_fact, node_id

NAMES = ("Ann", "Bob", "Cy", "Dee", "Eve")
RELATIONS = ("know", "design", "born in", "design of")


def node(name: str, kind: NodeKind = "entity", **fields: object) -> Node:
    return Node(node_id(kind, name), kind, name, **fields)  # type: ignore[arg-type]


def entity(name: str) -> str:
    return node_id("entity", name)


def fact(subject: str, relation: str, object_: str, **fields: object) -> Fact:
    """A fact between two entities, by name; ids of values pass as they are."""
    ends = [end if end.startswith("value:") else entity(end) for end in (subject, object_)]
    return make_fact(ends[0], relation, ends[1], **fields)  # type: ignore[arg-type]


def graph_of(facts: Iterable[Fact], nodes: Iterable[Node] = ()) -> ThoughtGraph:
    """Nodes as given, the missing ones made from ids; one batch."""
    known = {n.id: n for n in nodes}
    changes: list[Change] = [CreateNode(n) for n in known.values()]
    facts = list({f.id: f for f in facts}.values())
    for end in dict.fromkeys(end for f in facts for end in (f.subject, f.object)):
        if end not in known:
            kind, _, name = end.partition(":")
            changes.append(CreateNode(Node(end, kind, name.title())))  # type: ignore[arg-type]
    changes += [CreateEdge(f) for f in facts]
    graph = ThoughtGraph()
    graph.apply(changes, author="rule", reason="test")
    return graph


def said(passage: str, quote: str = "") -> tuple[Evidence, ...]:
    return (Evidence("passage", passage, quote, 0, len(quote)),)


facts = st.builds(
    fact,
    st.sampled_from(NAMES),
    st.sampled_from(RELATIONS),
    st.sampled_from(NAMES),
    negated=st.booleans(),
    hedged=st.booleans(),
    valid_from=st.sampled_from(("", "1889")),
)
