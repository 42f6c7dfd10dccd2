"""Parts that a recipe names: a table from a word to what makes the part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from assistant.errors import UnknownNameError

P = TypeVar("P")


class Registry(Generic[P]):
    """Names of one kind of part.

    Args:
        kind: what the parts are, for messages ("loss", "sampler", "data source", …).
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._parts: dict[str, P] = {}

    def register(self, name: str) -> Callable[[P], P]:
        """A decorator that puts a part under a name."""

        def put(part: P) -> P:
            self._parts[name] = part
            return part

        return put

    def get(self, name: str) -> P:
        """The part of that name.

        Raises:
            UnknownNameError: with the nearest name.
        """
        if name not in self._parts:
            raise UnknownNameError(self._kind, name, self.names())
        return self._parts[name]

    def names(self) -> list[str]:
        return sorted(self._parts)
