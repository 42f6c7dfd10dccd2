"""Nodes and facts from values that come from outside, checked field by field."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from assistant.errors import UsageError
from assistant.thoughts.model import Fact, Node

_NODES: TypeAdapter[Node] = TypeAdapter(Node)
_FACTS: TypeAdapter[Fact] = TypeAdapter(Fact)


def checked_node(values: dict[str, Any]) -> Node:
    """The node with these fields.

    Raises:
        UsageError: a field is missing, unknown or of the wrong type.
        GraphError: the values do not make a node.
    """
    node: Node = _checked(_NODES, Node, values)
    return node


def checked_fact(values: dict[str, Any]) -> Fact:
    """The fact with these fields; raises like `checked_node`."""
    fact: Fact = _checked(_FACTS, Fact, values)
    return fact


def fields_of(thing: Node | Fact) -> dict[str, Any]:
    """Name → value."""
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__}


def _checked(adapter: TypeAdapter[Any], kind: type[Node | Fact], values: dict[str, Any]) -> Any:
    if unknown := set(values) - set(kind.__dataclass_fields__):
        raise UsageError(f"a {kind.__name__.lower()} has no {', '.join(sorted(unknown))[:80]}")
    try:
        return adapter.validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{where or kind.__name__.lower()}: {first['msg'][:200]}", remedy="correct it"
        ) from error
