"""The changes a graph can undergo: named, with what they replace, so that each has an inverse.

The vocabulary follows KGCL (Knowledge Graph Change Language): create, delete, rename and revise a
node; create, delete, move, revise, obsolete and restore an edge. `assistant.thoughts.kgcl` writes
and reads them as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Union

from pydantic import Field, TypeAdapter

from assistant.thoughts.model import Fact, Node

Author = Literal["rule", "model", "person"]


@dataclass(frozen=True, slots=True)
class CreateNode:
    node: Node
    change: Literal["create node"] = "create node"

    def inverse(self) -> DeleteNode:
        return DeleteNode(self.node)


@dataclass(frozen=True, slots=True)
class DeleteNode:
    """Only a node without edges can go; `node` is what it was."""

    node: Node
    change: Literal["delete node"] = "delete node"

    def inverse(self) -> CreateNode:
        return CreateNode(self.node)


@dataclass(frozen=True, slots=True)
class RenameNode:
    """Another label; the id stays, since facts refer to it."""

    id: str
    old: str
    new: str
    change: Literal["rename node"] = "rename node"

    def inverse(self) -> RenameNode:
        return RenameNode(self.id, self.new, self.old)


@dataclass(frozen=True, slots=True)
class ReviseNode:
    """Another type, aliases, description, status or reason; label and id are the same."""

    old: Node
    new: Node
    change: Literal["revise node"] = "revise node"

    def inverse(self) -> ReviseNode:
        return ReviseNode(self.new, self.old)


@dataclass(frozen=True, slots=True)
class CreateEdge:
    fact: Fact
    change: Literal["create edge"] = "create edge"

    def inverse(self) -> DeleteEdge:
        return DeleteEdge(self.fact)


@dataclass(frozen=True, slots=True)
class DeleteEdge:
    """`fact` is what it was."""

    fact: Fact
    change: Literal["delete edge"] = "delete edge"

    def inverse(self) -> CreateEdge:
        return CreateEdge(self.fact)


@dataclass(frozen=True, slots=True)
class MoveEdge:
    """One end goes to another node: how entities are merged without losing what was said."""

    id: str
    end: Literal["subject", "object"]
    old: str
    new: str
    change: Literal["move edge"] = "move edge"

    def inverse(self) -> MoveEdge:
        return MoveEdge(self.id, self.end, self.new, self.old)


@dataclass(frozen=True, slots=True)
class ReviseEdge:
    """Other evidence, confidence or validity; id, ends and relation are the same."""

    old: Fact
    new: Fact
    change: Literal["revise edge"] = "revise edge"

    def inverse(self) -> ReviseEdge:
        return ReviseEdge(self.new, self.old)


@dataclass(frozen=True, slots=True)
class ObsoleteEdge:
    """The fact no longer counts, and says why; it stays visible."""

    id: str
    reason: str
    change: Literal["obsolete edge"] = "obsolete edge"

    def inverse(self) -> RestoreEdge:
        return RestoreEdge(self.id, self.reason)


@dataclass(frozen=True, slots=True)
class RestoreEdge:
    """An obsolete fact counts again; `reason` is why it did not."""

    id: str
    reason: str
    change: Literal["restore edge"] = "restore edge"

    def inverse(self) -> ObsoleteEdge:
        return ObsoleteEdge(self.id, self.reason)


Change = Annotated[
    Union[  # noqa: UP007 - pydantic reads it at run time
        CreateNode,
        DeleteNode,
        RenameNode,
        ReviseNode,
        CreateEdge,
        DeleteEdge,
        MoveEdge,
        ReviseEdge,
        ObsoleteEdge,
        RestoreEdge,
    ],
    Field(discriminator="change"),
]


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that happened together, all or none: one operation.

    `number` counts from 1 within a graph's log; `step` is the step of the loop.
    """

    number: int
    author: Author
    reason: str
    step: int
    changes: tuple[Change, ...]


# To and from JSON, validated.
BATCHES: TypeAdapter[list[Batch]] = TypeAdapter(list[Batch])
