"""Random valid graphs, made by applying random changes that fit, as `hypothesis` strategies."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

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
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Evidence, Fact, Node, make_fact

# What has to survive quoting: quotes, breaks, comments, escapes, percent signs, other scripts.
_AWKWARD = st.sampled_from(
    "' | \" | \n | \r | \t |  # | # | \\ | \\n | _ | %5F | % | < | ]]> | é | 塔 | \x00 | \x1f | \x85"
    " | \u2028 | \u202e | 🗼 | to | from | &amp; | \ufeff | \uffff | \ue000".split(" | ")
)
texts = st.lists(_AWKWARD | st.text(max_size=6), max_size=5).map("".join)
names = texts.filter(lambda text: bool(text.strip()))
_dates = st.sampled_from(["", "1889", "1889-03", "1900-01-01"])
_kinds = st.sampled_from(["entity", "entity", "entity", "value", "passage", "thought"])
_evidence = st.lists(
    st.builds(
        Evidence,
        kind=st.sampled_from(["passage", "tool", "person"]),
        source=texts,
        quote=texts,
        start=st.integers(0, 9),
        end=st.integers(0, 99),
    ),
    max_size=2,
).map(tuple)
_confidences = st.floats(0, 1, allow_nan=False)
_booleans = st.booleans()


@st.composite
def nodes(draw: st.DrawFn, identity: str = "", label: str = "") -> Node:
    """A valid node; with that id and label where given."""
    kind = identity.partition(":")[0] or draw(_kinds)
    status = draw(st.sampled_from(["wanted", "known", "refuted"])) if kind == "thought" else ""
    return Node(
        id=identity or f"{kind}:{draw(names)}",
        kind=kind,
        label=label or draw(names),
        type=draw(texts),
        aliases=tuple(draw(st.lists(names, max_size=2))),
        description=draw(texts),
        status=status,
        why=draw(texts) if status else "",
    )


@st.composite
def facts(draw: st.DrawFn, graph: ThoughtGraph) -> Fact:
    """A valid fact between two nodes of the graph, which has some."""
    ends = [node.id for node in graph.nodes() if node.kind in ("entity", "value")]
    fact = make_fact(
        draw(st.sampled_from(ends)),
        draw(st.sampled_from(["design", "born in", "is a"]) | names),
        draw(st.sampled_from(ends)),
        evidence=draw(_evidence),
        confidence=draw(_confidences),
        valid_from=draw(_dates),
        valid_to=draw(_dates),
        step=draw(st.integers(0, 3)),
        negated=draw(_booleans),
        hedged=draw(_booleans),
    )
    return replace(fact, id=draw(names)) if draw(st.integers(0, 9)) == 0 else fact


@st.composite
def fitting_changes(draw: st.DrawFn, graph: ThoughtGraph) -> Change | None:
    """A change that fits the graph; None where the drawn kind has nothing to change."""
    all_nodes, all_facts = list(graph.nodes()), list(graph.facts(obsolete=True))
    ends = [node.id for node in all_nodes if node.kind in ("entity", "value")]
    lonely = [node for node in all_nodes if not graph.networkx.degree(node.id)]
    kind = draw(st.integers(0, 11))
    if kind == 0 and lonely:
        return DeleteNode(draw(st.sampled_from(lonely)))
    if kind in (1, 2) and all_nodes:
        node = draw(st.sampled_from(all_nodes))
        if kind == 1:
            return RenameNode(node.id, node.label, draw(names))
        return ReviseNode(node, draw(nodes(node.id, node.label)))
    if kind in (3, 4, 5) and ends:
        fact = draw(facts(graph))
        return None if fact.id in graph else CreateEdge(fact)
    if kind >= 6 and all_facts:
        return _fact_change(draw, graph, kind, draw(st.sampled_from(all_facts)), ends)
    node = draw(nodes())
    return None if node.id in graph else CreateNode(node)


def _fact_change(
    draw: st.DrawFn, graph: ThoughtGraph, kind: int, fact: Fact, ends: list[str]
) -> Change:
    if kind == 6:
        return DeleteEdge(fact)
    if kind in (7, 8):
        end = "subject" if kind == 7 else "object"
        return MoveEdge(fact.id, end, getattr(fact, end), draw(st.sampled_from(ends)))
    if kind == 9:
        if fact.obsolete:
            return RestoreEdge(fact.id, fact.obsolete)
        return ObsoleteEdge(fact.id, draw(names))
    other = draw(facts(graph))
    ours = {name: getattr(fact, name) for name in ("id", "subject", "relation", "object")}
    return ReviseEdge(fact, replace(other, **ours, obsolete=draw(texts)))


@st.composite
def graphs(draw: st.DrawFn, batches: int = 5) -> ThoughtGraph:
    """A graph with a log of up to so many batches of one to four changes each."""
    graph = ThoughtGraph()
    for _ in range(draw(st.integers(0, batches))):
        trial = ThoughtGraph.replay(graph.log)
        changes: list[Change] = []
        for _ in range(draw(st.integers(1, 4))):
            change = draw(fitting_changes(trial))
            if change is not None:
                trial.apply([change], author="rule", reason="trial")
                changes.append(change)
        if changes:
            graph.apply(
                changes,
                author=draw(st.sampled_from(["rule", "model", "person"])),
                reason=draw(texts),
                step=draw(st.integers(0, 9)),
            )
    return graph
