"""A graph as a chart: which nodes are drawn, where, and what a click on it means.

The chart gets plain text only; it is drawn as SVG without tooltips, so that no label can be markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from app.components.text import one_line
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.verbalise import one_line as printable

MOST_NODES = 40
MOST_FACTS = 120
_LABEL = 26  # characters of a name in the chart
_RELATION = 22
_BOX = (1300.0, 1000.0)
# Kinds in the order of the legend, with their colours; legible on light and dark ground.
KINDS = {
    "entity": ("thing", "#3d8b75"),
    "value": ("date or number", "#7a6bb5"),
    "passage": ("passage", "#8a8f94"),
    "known": ("known", "#c79a1e"),
    "wanted": ("still missing", "#c2573f"),
    "refuted": ("refuted", "#c2573f"),
}
_SUPPORT, _OTHER = "#d9822b", "#9aa3a8"


@dataclass(frozen=True, slots=True)
class Link:
    """A line that is no fact: from a thought to what fills it, from a passage to what it says."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn, in the order of the chart's data.

    Attributes:
        strong: ids of facts and nodes that are highlighted.
        left_out: how many nodes and facts are not drawn.
    """

    nodes: tuple[Node, ...]
    facts: tuple[Fact, ...]
    links: tuple[Link, ...]
    strong: frozenset[str]
    left_out: tuple[int, int]


def drawing_of(
    nodes: Sequence[Node],
    facts: Sequence[Fact],
    strong: Collection[str],
    links: Iterable[Link] = (),
    most: int = MOST_NODES,
) -> Drawing:
    """Choose what is drawn: highlighted facts' ends and what links join, then their neighbours,
    then what has most facts.

    Args:
        nodes: all, those that matter most first.
        strong: ids of highlighted facts.
    """
    by_id = {node.id: node for node in nodes}
    links = [link for link in links if link.start in by_id and link.end in by_id]
    chosen: dict[str, None] = {}
    first = [fact for fact in facts if fact.id in strong]
    for fact in first:
        chosen |= {fact.subject: None, fact.object: None}
    for link in links:
        chosen |= {link.start: None, link.end: None}
    chosen |= {node.id: None for node in nodes if node.kind == "thought"}
    near = list(chosen)
    for fact in facts:
        if fact.subject in near or fact.object in near:
            chosen |= {fact.subject: None, fact.object: None}
    degree = Counter(end for fact in facts for end in (fact.subject, fact.object))
    order = sorted(by_id, key=lambda identity: -degree[identity])  # stable: as given among equals
    # Passages that no link names have no line to anything.
    chosen |= {identity: None for identity in order if by_id[identity].kind != "passage"}
    drawn = [identity for identity in chosen if identity in by_id][:most]
    kept = set(drawn)
    between = [fact for fact in facts if fact.subject in kept and fact.object in kept]
    shown = sorted(between, key=lambda fact: fact.id not in strong)[:MOST_FACTS]
    ends = {end for fact in shown if fact.id in strong for end in (fact.subject, fact.object)}
    joined = [link for link in links if link.start in kept and link.end in kept]
    drawable = sum(node.kind != "passage" for node in nodes)
    passages = sum(by_id[identity].kind == "passage" for identity in drawn)
    return Drawing(
        tuple(by_id[identity] for identity in drawn),
        tuple(shown),
        tuple(joined),
        frozenset({*ends, *(fact.id for fact in shown if fact.id in strong)}),
        (max(0, drawable - (len(drawn) - passages)), len(facts) - len(shown)),
    )


def chart_spec(drawing: Drawing, words: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The chart as ECharts wants it; `data` are the drawing's nodes, `links` facts, then links.

    Args:
        words: labels of nodes by id, instead of their own.
    """
    words = words or {}
    used = [kind for kind in KINDS if any(_kind(node) == kind for node in drawing.nodes)]
    places = positions(drawing)
    return {
        "animation": False,
        "tooltip": {"show": False},
        "legend": {"data": [KINDS[kind][0] for kind in used], "bottom": 0, "selectedMode": False},
        "color": [KINDS[kind][1] for kind in used],
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "roam": True,
                "selectedMode": "single",
                "categories": [
                    {"name": KINDS[kind][0], "itemStyle": {"color": KINDS[kind][1]}}
                    for kind in used
                ],
                "label": {"show": True, "position": "bottom", "fontSize": 11},
                "edgeSymbol": ["none", "arrow"],
                "edgeSymbolSize": 7,
                "edgeLabel": {"show": True, "fontSize": 10},
                # The height follows from the width, so that circles stay circles.
                "left": "12%",
                "right": "12%",
                "top": 20,
                "data": [_point(drawing, node, used, words, places) for node in drawing.nodes],
                "links": [
                    *(_line(drawing, fact) for fact in drawing.facts),
                    *(_dotted(drawing, link) for link in drawing.links),
                ],
            }
        ],
    }


def positions(drawing: Drawing) -> dict[str, tuple[float, float]]:
    """Where the nodes are, in a box of `_BOX`; the same for the same drawing."""
    graph: Any = nx.Graph()
    graph.add_nodes_from(node.id for node in drawing.nodes)
    graph.add_edges_from((fact.subject, fact.object) for fact in drawing.facts)
    graph.add_edges_from((link.start, link.end) for link in drawing.links)
    parts = sorted(map(list, nx.connected_components(graph)), key=len, reverse=True)
    for part in parts[1:]:  # else the parts are pushed far from one another
        graph.add_edge(_hub(graph, parts[0]), _hub(graph, part), weight=0.3)
    spread = 2.2 / max(1, len(drawing.nodes)) ** 0.5
    found = nx.spring_layout(graph, k=spread, seed=7, iterations=80)
    if not found:
        return {}
    lowest = [min(place[axis] for place in found.values()) for axis in (0, 1)]
    widths = [max(place[axis] for place in found.values()) - lowest[axis] for axis in (0, 1)]

    def scaled(place: Any, axis: int) -> float:
        if not widths[axis]:
            return _BOX[axis] / 2
        return round(float((place[axis] - lowest[axis]) / widths[axis]) * _BOX[axis], 1)

    return {identity: (scaled(place, 0), scaled(place, 1)) for identity, place in found.items()}


def _hub(graph: Any, part: list[str]) -> str:
    return min(part, key=lambda identity: (-graph.degree(identity), identity))


def clicked(drawing: Drawing, state: Any) -> tuple[list[Fact], list[Node]]:
    """The facts and nodes that a chart's selection means; what it no longer has is left out.

    Args:
        state: what `st.echarts_chart` gave.
    """
    facts: list[Fact] = []
    nodes: list[Node] = []
    for group in (state or {}).get("selection", {}).get("selected", ()):
        for index in group.get("data_indices", ()):
            if group.get("data_type") == "edge" and 0 <= index < len(drawing.facts):
                facts.append(drawing.facts[index])
            elif group.get("data_type") in ("node", "main") and 0 <= index < len(drawing.nodes):
                nodes.append(drawing.nodes[index])
    return facts, nodes


def _kind(node: Node) -> str:
    return (node.status or "wanted") if node.kind == "thought" else node.kind


def _label(text: str, limit: int) -> str:
    return one_line(printable(text), limit)


def _point(
    drawing: Drawing,
    node: Node,
    used: Sequence[str],
    words: Mapping[str, str],
    places: Mapping[str, tuple[float, float]],
) -> dict[str, Any]:
    strong = node.id in drawing.strong
    point: dict[str, Any] = {
        # ECharts joins lines to nodes by id; names may be the same.
        "id": node.id,
        "name": _label(words.get(node.id, node.label), _LABEL),
        "x": places[node.id][0],
        "y": places[node.id][1],
        "category": used.index(_kind(node)),
        "symbolSize": 22 if strong else 14,
        "symbol": {"passage": "rect", "thought": "diamond"}.get(node.kind, "circle"),
    }
    if strong:
        point["itemStyle"] = {"borderColor": _SUPPORT, "borderWidth": 3}
        point["label"] = {"fontWeight": "bold"}
    return point


def _line(drawing: Drawing, fact: Fact) -> dict[str, Any]:
    strong = fact.id in drawing.strong
    dashed = fact.obsolete or fact.negated or fact.hedged
    said = f"not {fact.relation}" if fact.negated else fact.relation
    return {
        "source": fact.subject,
        "target": fact.object,
        "lineStyle": {
            "width": 3 if strong else 1.2,
            "color": _SUPPORT if strong else _OTHER,
            "type": "dashed" if dashed else "solid",
            "curveness": 0.12,
        },
        # A template could be read into a name; this one names nothing.
        "label": {
            "show": strong or len(drawing.facts) <= 24,
            "formatter": _label(said, _RELATION).replace("{", "(").replace("}", ")"),
        },
    }


def _dotted(drawing: Drawing, link: Link) -> dict[str, Any]:
    return {
        "source": link.start,
        "target": link.end,
        "symbol": ["none", "none"],
        "lineStyle": {"width": 1, "color": _OTHER, "type": "dotted"},
        "label": {"show": False},
    }
