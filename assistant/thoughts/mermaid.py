"""Mermaid flowcharts, to be drawn: bounded, and with labels that can be nothing but text."""

from __future__ import annotations

import unicodedata
from collections import Counter, deque

from assistant.thoughts.model import Fact, Node
from assistant.thoughts.state import Snapshot

MAX_NODES = 60
MAX_FACTS = 150
_MAX_LABEL = 60
_PLAIN = frozenset(" ,.-")  # of ASCII, beside letters and digits

# The shape says the kind: entities are boxes, values round, passages and thoughts their own.
_SHAPES = {
    "entity": ('["', '"]'),
    "value": ('(["', '"])'),
    "passage": ('[["', '"]]'),
    "thought": ('{{"', '"}}'),
}


def to_mermaid(
    snapshot: Snapshot, *, max_nodes: int = MAX_NODES, max_facts: int = MAX_FACTS
) -> str:
    """A flowchart of what is around the node with the most facts that count, then the next one;
    dotted where obsolete or denied. What is left out is said, in a comment and in the drawing.
    """
    ranked = _nearest(snapshot, max_nodes)
    number = {node.id: f"n{position}" for position, node in enumerate(ranked, start=1)}
    drawable = [f for f in snapshot.facts if f.subject in number and f.object in number]
    facts = sorted(drawable, key=lambda fact: (bool(fact.obsolete), fact.id))[:max_facts]
    lines = ["flowchart LR"]
    lines += [f"  {number[node.id]}{_node(node)}" for node in ranked]
    lines += [f"  {number[f.subject]} {_edge(f)} {number[f.object]}" for f in facts]
    nodes_out, facts_out = len(snapshot.nodes) - len(ranked), len(snapshot.facts) - len(facts)
    if nodes_out or facts_out:
        left_out = f"{nodes_out} nodes and {facts_out} facts are left out"
        lines.insert(1, f"  %% {left_out}")
        lines.append(f'  more["{left_out}"]')
    return "\n".join(lines) + "\n"


def _nearest(snapshot: Snapshot, most: int) -> list[Node]:
    """Breadth first from the node with the most facts, so that what is drawn hangs together."""
    around: dict[str, dict[str, None]] = {node.id: {} for node in snapshot.nodes}
    degree: Counter[str] = Counter()
    for fact in sorted(snapshot.facts, key=lambda fact: bool(fact.obsolete)):
        for end, other in ((fact.subject, fact.object), (fact.object, fact.subject)):
            around[end][other] = None
            degree[end] += 0 if fact.obsolete else 1
    ids: dict[str, None] = {}
    for start in sorted(around, key=lambda identity: (-degree[identity], identity)):
        waiting = deque([start])
        while waiting and len(ids) < most:
            identity = waiting.popleft()
            if identity not in ids:
                ids[identity] = None
                waiting += around[identity]
    nodes = {node.id: node for node in snapshot.nodes}
    return [nodes[identity] for identity in ids]


def _node(node: Node) -> str:
    before, after = _SHAPES[node.kind]
    text = f"{node.status}: {node.label}" if node.status else node.label
    return f"{before}{label(text)}{after}"


def _edge(fact: Fact) -> str:
    text = f"not {fact.relation}" if fact.negated else fact.relation
    text = f"perhaps {text}" if fact.hedged else text
    if fact.obsolete:
        text = f"{text}, no longer counts"
    return f'{"-.->" if fact.obsolete or fact.negated else "-->"}|"{label(text)}"|'


def label(text: str) -> str:
    """The text within a quoted label, at most 60 characters of it.

    Letters and digits stay; every other ASCII sign becomes Mermaid's code for it (`#35;`), so that
    none can end the label or be markup, a link or a directive; what is invisible is left out.
    """
    line = " ".join(text.split())
    if len(line) > _MAX_LABEL:
        line = line[: _MAX_LABEL - 1].rstrip() + "…"
    return "".join(_sign(character) for character in line) or "-"


def _sign(character: str) -> str:
    if character.isascii():
        if character.isalnum() or character in _PLAIN:
            return character
        return f"#{ord(character)};" if character.isprintable() else ""
    # Controls, directions, private use and lone surrogates could hide or turn what follows.
    return "" if unicodedata.category(character).startswith("C") else character
