"""The slots of one question while it is worked on: wanted, known or refuted, each with why.

A slot is settled by a fact: the fact's sentence says what the slot asks, one of its ends is what
the slot is about, and the other end is what was wanted. What only looks promising stays a guess: it
is searched for, and never counted as known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.thoughts.changes import Batch, Change, CreateNode, MoveEdge, ReviseNode
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import MAX_LABEL, MAX_TEXT, Fact, Node, ThoughtStatus, normal_form
from assistant.thoughts.question import ANSWER, Question, Slot

_VARIABLE = re.compile(r"\?\w+")

# Which types of values and entities answer which question word (spaCy's types, lower case).
_FITS: Mapping[str, frozenset[str]] = {
    "person": frozenset(("person",)),
    "date": frozenset(("date", "time")),
    "year": frozenset(("date",)),
    "place": frozenset(("gpe", "loc", "fac", "org")),
    "city": frozenset(("gpe",)),
    "state": frozenset(("gpe",)),
    "country": frozenset(("gpe",)),
    "number": frozenset(("cardinal", "quantity", "ordinal", "money", "percent", "number")),
    "company": frozenset(("org",)),
    "university": frozenset(("org",)),
    "band": frozenset(("org", "person")),
}
# A sentence less like the slot's text than this says something else (cosine, or share of words).
SAYS_IT = 0.55
LONGEST_NAME = 8  # words
# What is left of the likeness where only one end of a fact fits, and where neither does.
_LOOSE, _WRONG_TYPE = 0.85, 0.6


@dataclass(slots=True)
class Progress:
    """One slot's state. `filled` is the node that settles it, `by` the facts that say so."""

    slot: Slot
    filled: str = ""
    by: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.filled)


class Plan:
    """The question's slots in their order, mirrored as thought nodes of the graph."""

    def __init__(self, question: Question, graph: ThoughtGraph) -> None:
        self.question = question
        self.slots = [Progress(slot) for slot in question.slots]
        self._graph = graph

    def thoughts(self) -> list[Change]:
        """The nodes to begin with: every slot wanted."""
        return [
            CreateNode(
                Node(
                    f"thought:{state.slot.variable}",
                    "thought",
                    state.slot.text[:MAX_LABEL],
                    type=state.slot.type[:MAX_LABEL],
                    status="wanted",
                    why="nothing was read yet",
                )
            )
            for state in self.slots
        ]

    @property
    def open(self) -> list[Progress]:
        """The slots that are not known, those first that others need."""
        return [state for state in self.slots if not state.known]

    @property
    def chained(self) -> bool:
        """Whether one slot needs another one."""
        return self.question.kind == "chain"

    def found_names(self) -> list[str]:
        """The names that fill slots on the way to the answer."""
        filled = (s.filled for s in self.slots if s.filled and s.slot.variable != ANSWER)
        return list(dict.fromkeys(self._graph.node(node).label for node in filled))

    def label(self, variable: str) -> str:
        """What a variable stands for, as far as it is known; else the variable."""
        for state in self.slots:
            if state.slot.variable == variable and state.filled:
                return self._graph.node(state.filled).label
        return variable

    def text(self, slot: Slot) -> str:
        """The slot's text with what is known put in; an unknown variable becomes its own text."""
        texts = {s.slot.variable: s.slot.text for s in self.slots if s.slot.variable != ANSWER}

        def replaced(match: re.Match[str]) -> str:
            label = self.label(match.group())
            return texts.get(label, label) if label.startswith("?") else label

        text = slot.text
        for _ in self.slots:  # a slot's text may name another one
            text = _VARIABLE.sub(replaced, text)
        return text

    def filled_in(self, slot: Slot) -> bool:
        """Whether the slot's text says more than its question did: a variable in it is known."""
        return any(name.startswith("?") and self.label(name) != name for name in slot.about)

    def settle(self, facts: Sequence[tuple[Fact, float]], slot: Progress) -> Fact | None:
        """Look for the fact that fills a slot.

        Args:
            facts: that may, each with how well its sentence says what the slot asks, in [0, 1].

        Returns:
            the fact that filled it, or None where none does.
        """
        best: tuple[float, str, str] | None = None
        about = [normal_form(self.label(name)) for name in slot.slot.about]
        # A name that the question has, or that stands for a variable in it, is no answer to it.
        asked = f" {normal_form(self.question.text)} {normal_form(self.text(slot.slot))} "
        for fact, likeness in facts:
            if fact.obsolete or fact.negated or fact.hedged or likeness < SAYS_IT:
                continue
            for wanted, given in ((fact.subject, fact.object), (fact.object, fact.subject)):
                if self._says_nothing(wanted, asked):
                    continue
                score = likeness * self._fit(slot.slot, wanted, given, about)
                # Of equal ones the same every time.
                if score >= SAYS_IT and (best is None or (score, fact.id) > best[:2]):
                    best = (score, fact.id, wanted)
        if best is None:
            return None
        slot.filled, slot.by = best[2], (best[1],)
        return self._graph.fact(best[1])

    def follow(self, batch: Batch) -> None:
        """A merge moved facts to another node: what a slot is filled with moves along."""
        moved = {change.old: change.new for change in batch.changes if isinstance(change, MoveEdge)}
        for state in self.slots:
            state.filled = moved.get(state.filled, state.filled)

    def told(self, state: Progress, why: str) -> list[Change]:
        """The change of a slot's thought: known by a fact, or still wanted and why."""
        old = self._graph.node(f"thought:{state.slot.variable}")
        status: ThoughtStatus = "known" if state.known else "wanted"
        new = Node(old.id, "thought", old.label, old.type, old.aliases, "", status, why[:MAX_TEXT])
        return [] if new == old else [ReviseNode(old, new)]

    def _says_nothing(self, node: str, asked: str) -> bool:
        """Whether it is no name or value, or one that the question has itself."""
        found = self._graph.node(node)
        words = found.label.split()
        # A description may begin with a name ("Shakespeare's drama"), but a name begins with one
        # and ends with one.
        named = all(word[0].isupper() or word[0].isdigit() for word in (words[0], words[-1]))
        if found.kind != "value" and not (named and len(words) <= LONGEST_NAME):
            return True
        return f" {normal_form(found.label)} " in asked

    def _fit(self, slot: Slot, wanted: str, given: str, about: Sequence[str]) -> float:
        """How well a fact fits: what is wanted by its kind, the other end by what it is about."""
        found, other = self._graph.node(wanted), normal_form(self._graph.node(given).label)
        kinds = _FITS.get(slot.type)
        if slot.type and slot.type in other.split():
            return 1.0  # "Mercer University is a … university"
        joined = any(other == name or _part(other, name) for name in about)
        if kinds is not None:
            return (1.0 if joined else _LOOSE) if found.type in kinds else _WRONG_TYPE
        return _LOOSE if joined else _WRONG_TYPE


def _part(first: str, second: str) -> bool:
    """Whether one name's words are among the other's: "King" and "William King"."""
    words, others = set(first.split()), set(second.split())
    return bool(words) and bool(others) and (words <= others or others <= words)
