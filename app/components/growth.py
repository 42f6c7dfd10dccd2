"""How the graph of a turn grows, counted from its batches as they come. Nothing here draws."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.components.words import counted
from assistant.thoughts.changes import (
    Batch,
    CreateEdge,
    CreateNode,
    DeleteEdge,
    DeleteNode,
    ReviseNode,
)
from assistant.thoughts.model import Node


@dataclass(slots=True)
class Growth:
    """What the batches have made so far.

    Attributes:
        batches: all of them; replayed they give the graph.
        kinds: of the nodes that are there, by id.
        slots: the question's thoughts by id, as they are now, in the order they came in.
        filled: what a known slot's words are, and what fills it, by the slot's id.
    """

    batches: list[Batch] = field(default_factory=list)
    facts: int = 0
    kinds: dict[str, str] = field(default_factory=dict)
    slots: dict[str, Node] = field(default_factory=dict)
    filled: dict[str, tuple[str, str]] = field(default_factory=dict)
    _known_last: str = ""

    def add(self, batch: Batch) -> None:
        """Count what one batch changes."""
        self.batches.append(batch)
        for change in batch.changes:
            match change:
                case CreateNode(node):
                    self.kinds[node.id] = node.kind
                    self._slot(node)
                case DeleteNode(node):
                    self.kinds.pop(node.id, None)
                    self.slots.pop(node.id, None)
                case ReviseNode(_, node):
                    self._slot(node)
                case CreateEdge():
                    self.facts += 1
                case DeleteEdge():
                    self.facts -= 1

    def settled(self, reason: str) -> None:
        """Take in the decision "TEXT → NAME" that follows on the change of a slot to known."""
        text, arrow, name = reason.rpartition(" → ")
        if arrow and self._known_last:
            self.filled[self._known_last] = (text, name)
            self._known_last = ""

    @property
    def passages(self) -> int:
        """How many passages were read for it."""
        return sum(kind == "passage" for kind in self.kinds.values())

    @property
    def things(self) -> int:
        """How many entities and values it has."""
        return sum(kind in ("entity", "value") for kind in self.kinds.values())

    @property
    def known(self) -> int:
        """How many slots are known."""
        return sum(node.status == "known" for node in self.slots.values())

    @property
    def line(self) -> str:
        """`12 facts between 9 things from 4 passages; 1 of 2 questions settled`."""
        parts = (
            f"{counted(self.facts, 'fact')} between {counted(self.things, 'thing')} "
            f"from {counted(self.passages, 'passage')}"
        )
        return f"{parts}; {self.known_words}" if self.slots else parts

    @property
    def known_words(self) -> str:
        """`1 of 2 things to know found out`."""
        count = len(self.slots)
        return f"{self.known:,} of {counted(count, 'thing')} to know found out"

    def slot_words(self, identity: str) -> str:
        """A slot as a question: variables of others replaced by what is known of them."""
        if identity in self.filled:
            return self.filled[identity][0]
        text = self.slots[identity].label
        # A slot may name others, those again others; longer names first, as ?12 begins with ?1.
        for _ in self.slots:
            for other in sorted(self.slots, key=len, reverse=True):
                variable = other.removeprefix("thought:")
                if variable.startswith("?") and other != identity and variable in text:
                    known = self.filled.get(other)
                    text = text.replace(variable, known[1] if known else self.slots[other].label)
        return text

    def _slot(self, node: Node) -> None:
        if node.kind == "thought":
            self.slots[node.id] = node
            if node.status == "known":
                self._known_last = node.id
