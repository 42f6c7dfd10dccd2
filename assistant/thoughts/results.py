"""What the operations give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.thoughts.calculate import Value
from assistant.thoughts.changes import Batch
from assistant.thoughts.comparing import Compared
from assistant.thoughts.extraction.types import Source
from assistant.thoughts.matching import Matches
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.paths import Neighbourhood, Paths

AddOutcome = Literal["new", "evidence", "known", "restored"]


@dataclass(frozen=True, slots=True)
class FactAdded:
    """The fact as it is now.

    Attributes:
        outcome: it is new; it was there and has more evidence; nothing changed (`batch` is None);
            it was obsolete and counts again.
        created: ids of the nodes that were made for it.
    """

    fact: Fact
    outcome: AddOutcome
    created: tuple[str, ...]
    batch: Batch | None


@dataclass(frozen=True, slots=True)
class Merged:
    """The node that is left; facts that were moved, and those of them that no longer count."""

    node: Node
    moved: tuple[str, ...]
    obsolete: tuple[str, ...]
    batch: Batch


@dataclass(frozen=True, slots=True)
class Retracted:
    fact: Fact
    batch: Batch


@dataclass(frozen=True, slots=True)
class Counted:
    """`exact` is False where the bound on work was reached: there are at least so many."""

    count: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Calculated:
    expression: str
    value: Value
    text: str


@dataclass(frozen=True, slots=True)
class Searched:
    """The passages found, best first; their texts can be quoted from now on."""

    query: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer with its facts and their passages; or what is missing, where `text` is empty."""

    text: str
    facts: tuple[Fact, ...]
    passages: tuple[str, ...]
    missing: str


Result = (
    FactAdded
    | Merged
    | Retracted
    | Matches
    | Neighbourhood
    | Paths
    | Counted
    | Compared
    | Calculated
    | Searched
    | Answered
)
