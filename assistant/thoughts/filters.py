"""Filters on the variables of a pattern: type, equality, order, contained words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assistant.thoughts.model import Node, normal_form
from assistant.thoughts.quantities import Order, compare_values
from assistant.thoughts.state import GraphState

Test = Literal["type", "=", "!=", "<", ">", "before", "after", "contains"]

DATE_TYPES = frozenset(("date", "time", "year"))
# Which outcome of a comparison a test asks for.
_WANTED: dict[str, tuple[Order, ...]] = {
    "<": ("less", "earlier"),
    ">": ("greater", "later"),
    "before": ("earlier",),
    "after": ("later",),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """`variable` is tested against `value`: words, a number with its unit, a date, or a variable.

    "type" holds for the node's type or kind; "=" for the same node, name, alias or amount, and
    "!=" where that does not; "before" and "after" for dates; "contains" for words in a name. What
    cannot be compared is neither less nor greater.
    """

    variable: str
    test: Test
    value: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that must be bound before it can be tested."""
        return (self.variable, self.value) if self.value.startswith("?") else (self.variable,)


def passes(graph: GraphState, test: Filter, bound: Mapping[str, str]) -> bool:
    """Whether the bindings, ids of nodes or words of relations, fulfil it."""
    found = _Value(graph, bound[test.variable])
    other = _Value(graph, bound[test.value] if test.value.startswith("?") else test.value)
    match test.test:
        case "type":
            return test.value.casefold() in (found.type.casefold(), found.kind)
        case "=":
            return found.equals(other)
        case "!=":
            return not found.equals(other)
        case "contains":
            words = f" {normal_form(other.text)} "
            return any(words in f" {normal_form(name)} " for name in found.names)
    dates = test.test in ("before", "after") or found.is_date or other.is_date or None
    return compare_values(found.text, other.text, dates=dates) in _WANTED[test.test]


class _Value:
    """A node, or words that are none."""

    def __init__(self, graph: GraphState, text: str) -> None:
        is_node = text.startswith(("entity:", "value:")) and text in graph
        node: Node | None = graph.node(text) if is_node else None
        self.id = text if node else ""
        self.text = node.label if node else text
        self.type = node.type if node else ""
        self.kind = node.kind if node else "relation"
        self.names = (node.label, *node.aliases) if node else (text,)
        self.is_date = self.type.casefold() in DATE_TYPES

    def equals(self, other: _Value) -> bool:
        if self.id and other.id:
            return self.id == other.id or self._same_value(other)
        names = {normal_form(name) for name in self.names}
        return bool(names & {normal_form(n) for n in other.names}) or self._same_value(other)

    def _same_value(self, other: _Value) -> bool:
        dates = self.is_date or other.is_date or None
        return compare_values(self.text, other.text, dates=dates) in ("equal", "same")
