"""What is asked of a graph and what it answers: patterns of variables and names, and solutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assistant.thoughts.relations import overlap, relation_form
from assistant.thoughts.state import GraphState

Words = Literal["exact", "overlap"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Each of the three is a variable ("?who"), a name, or the id of a node."""

    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class Row:
    """One solution.

    Attributes:
        bindings: each variable with a node's id (or a relation's words), in the order in which the
            patterns name them.
        support: for each pattern, the ids of the facts that fulfil it: any one of them suffices.
    """

    bindings: tuple[tuple[str, str], ...]
    support: tuple[tuple[str, ...], ...]

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts' ids, each once."""
        return tuple(dict.fromkeys(identity for ids in self.support for identity in ids))

    def __getitem__(self, variable: str) -> str:
        return dict(self.bindings)[variable]


@dataclass(frozen=True, slots=True)
class Matches:
    """Solutions in the order of their bindings.

    Attributes:
        found: how many there are; `rows` may have fewer.
        complete: the whole graph was looked at; otherwise there may be more than `found`.
    """

    rows: tuple[Row, ...]
    found: int
    complete: bool


def node_ids(graph: GraphState, name: str) -> tuple[str, ...]:
    """The entities and values of that id, or with that label or alias."""
    if name in graph and name.startswith(("entity:", "value:")):
        return (name,)
    return tuple(n.id for n in graph.named(name) if n.kind in ("entity", "value"))


def relation_names(graph: GraphState, relation: str, words: Words) -> tuple[str, ...]:
    """The graph's relations that this one may mean."""
    form = relation_form(relation)
    if words == "exact":
        return (form,)
    alike = (r for r in graph.relations_sharing_words(form) if overlap(r, form) >= 1)
    return tuple(alike)
