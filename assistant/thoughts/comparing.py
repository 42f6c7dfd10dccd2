"""Two things compared by what facts say of them: which is larger, earlier, or whether the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from assistant.thoughts.filters import DATE_TYPES
from assistant.thoughts.matching import node_ids, relation_names
from assistant.thoughts.model import Node, normal_form
from assistant.thoughts.paths import counts
from assistant.thoughts.quantities import Order, compare_values, parse_date, parse_quantity
from assistant.thoughts.state import GraphState

Verdict = Order | Literal["different"]


@dataclass(frozen=True, slots=True)
class Compared:
    """How the left one compares with the right one.

    Attributes:
        verdict: less, greater, equal (numbers); earlier, later, same (dates); same, different
            (things); unknown.
        left, right: the values compared, as the facts have them.
        facts: ids of the facts used.
        why: why the verdict is unknown, else empty.
    """

    verdict: Verdict
    left: tuple[str, ...]
    right: tuple[str, ...]
    facts: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    node: Node | None
    facts: tuple[str, ...] = ()


def compare(
    graph: GraphState,
    left: str,
    right: str,
    relation: str = "",
    *,
    negated: bool = False,
    hedged: bool = False,
) -> Compared:
    """Compare what `relation` says of two things, or without one the two values themselves.

    Dates and numbers go before things: "born" may give both a year and a place. Where one side has
    several values that lead to different verdicts, it is unknown.
    """
    sides: list[list[_Said]] = []
    for name in (left, right):
        said = (
            list(_said(graph, name, relation, negated, hedged))
            if relation
            else [_itself(graph, name)]
        )
        if not said:
            why = f"nothing says {relation!r} of {name!r}"
            return Compared("unknown", *_texts(sides), facts=_facts(sides), why=why)
        sides.append(said)
    pairs = [(one, other) for one in sides[0] for other in sides[1]]
    ordered = {(a, b): order for a, b in pairs if (order := _order(a, b)) != "unknown"}
    if ordered:
        sides = [[a for a, _ in ordered], [b for _, b in ordered]]
        verdicts: set[Verdict] = set(ordered.values())
    elif _unordered(sides) or (not relation and not all(side[0].node for side in sides)):
        verdicts = set()
    else:
        shared = {_key(a) for a in sides[0]} & {_key(b) for b in sides[1]}
        verdicts = {"same" if shared else "different"}
    verdict: Verdict = verdicts.pop() if len(verdicts) == 1 else "unknown"
    why = ""
    if verdict == "unknown":
        why = "the values contradict one another" if verdicts else "they cannot be compared"
    return Compared(verdict, *_texts(sides), facts=_facts(sides), why=why)


def _itself(graph: GraphState, name: str) -> _Said:
    nodes = [graph.node(i) for i in node_ids(graph, name)]
    values = [node for node in nodes if node.kind == "value"] or nodes
    return _Said(values[0].label, values[0]) if values else _Said(name, None)


def _said(
    graph: GraphState, name: str, relation: str, negated: bool, hedged: bool
) -> Iterable[_Said]:
    """What facts say, each value once with all its facts, in the order of the facts' ids."""
    by_node: dict[str, list[str]] = {}
    for node in node_ids(graph, name):
        for alike in relation_names(graph, relation, "overlap"):
            for identity in graph.outgoing(node).get(alike, ()):
                fact = graph.fact(identity)
                if counts(fact, negated, hedged):
                    by_node.setdefault(fact.object, []).append(identity)
    for identity, facts in sorted(by_node.items(), key=lambda item: min(item[1])):
        node_ = graph.node(identity)
        yield _Said(node_.label, node_, tuple(sorted(facts)))


def _order(left: _Said, right: _Said) -> Order:
    types = {said.node.type.casefold() for said in (left, right) if said.node}
    return compare_values(left.text, right.text, dates=True if types & DATE_TYPES else None)


def _unordered(sides: list[list[_Said]]) -> bool:
    """Whether there are dates or numbers, which may be unequal without being different things."""
    texts = [said.text for side in sides for said in side]
    return any(parse_date(text) or parse_quantity(text) for text in texts)


def _key(said: _Said) -> str:
    return said.node.id if said.node else normal_form(said.text)


def _texts(sides: list[list[_Said]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = [tuple(dict.fromkeys(said.text for said in side)) for side in sides]
    first, second = [*found, (), ()][:2]
    return first, second


def _facts(sides: list[list[_Said]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for side in sides for said in side for i in said.facts))
