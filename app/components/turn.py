"""A turn as the page shows it, gathered from its events. Nothing here draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from app.components.growth import Growth
from app.components.steps import step_text
from app.components.words import counted
from assistant.events import (
    AnswerDone,
    Event,
    EvidenceSelected,
    FoundPassage,
    GraphChanged,
    PassagesFound,
    QueriesWritten,
    SentenceChecked,
    StatementsChosen,
    StepDecided,
    ThinkingDone,
    Token,
    TurnFailed,
    TurnStarted,
    TurnStopped,
    UsedStatement,
)
from assistant.options import AS_SET, TurnOptions


@dataclass(frozen=True, slots=True)
class Source:
    """A cited passage. `spans` are the cited sentences as offsets in the document."""

    passage: FoundPassage
    spans: tuple[tuple[int, int], ...]
    quotes: tuple[str, ...]
    support: float | None = None  # the best of the citations', in [0, 1]

    @property
    def label(self) -> str:
        """For a button: number (0 is none), title, page; not escaped."""
        page = f", p. {self.passage.page}" if self.passage.page is not None else ""
        number = f"[{self.passage.number}] " if self.passage.number else ""
        attached = " (attached)" if self.passage.attached else ""
        return f"{number}{self.passage.title or self.passage.uri}{page}{attached}"


@dataclass(slots=True)
class TurnView:
    """What has been seen of a turn so far."""

    question: str = ""
    turn_id: str = ""
    index: str = ""
    options: TurnOptions = AS_SET
    without_facts: tuple[str, ...] = ()
    found: PassagesFound | None = None
    queries: QueriesWritten | None = None
    told: StatementsChosen | None = None
    evidence: EvidenceSelected | None = None
    decisions: list[StepDecided] = field(default_factory=list)
    growth: Growth = field(default_factory=Growth)
    thought: ThinkingDone | None = None
    written: str = ""
    checked: list[SentenceChecked] = field(default_factory=list)
    done: AnswerDone | None = None
    failed: TurnFailed | None = None
    stopped: bool = False
    _seen: dict[str, FoundPassage] = field(default_factory=dict)

    def add(self, event: Event) -> str:
        """Take in the next event; returns what the step says in words, or nothing."""
        before = self.found
        if isinstance(event, Token):
            self.written += event.text
        elif isinstance(event, SentenceChecked):
            self.checked.append(event)
        elif isinstance(event, TurnStarted):
            self.question, self.turn_id = event.question, event.turn_id
            self.index, self.options = event.index, event.options
            self.without_facts = event.without_facts
        elif isinstance(event, QueriesWritten):
            self.queries = event
        elif isinstance(event, StatementsChosen):
            self.told = event
        elif isinstance(event, PassagesFound):
            self.found = event
            self._seen.update({passage.passage_id: passage for passage in event.passages})
        elif isinstance(event, GraphChanged):
            self.growth.add(event.batch)
        elif isinstance(event, ThinkingDone):
            self.thought = event
        elif isinstance(event, EvidenceSelected):
            self.evidence = event
        elif isinstance(event, StepDecided):
            self.decisions.append(event)
            if event.step == "known":
                self.growth.settled(event.reason)
        elif isinstance(event, AnswerDone):
            self.done = event
        elif isinstance(event, TurnFailed):
            self.failed = event
        elif isinstance(event, TurnStopped):
            self.stopped, self.written = True, event.text
        return step_text(event, self.growth, before)

    @property
    def sources(self) -> list[Source]:
        """Cited passages in the order of their first mark; without an answer the closest ones."""
        if self.done is not None and self.done.abstained:
            closest = set(self.done.closest)
            return [Source(p, (), ()) for p in self._passages if p.number in closest]
        cited: dict[int, list[tuple[int, int, str]]] = {}
        support: dict[int, float] = {}
        for checked in self.done.sentences if self.done else self.checked:
            if checked.status == "dropped":
                continue
            for citation in checked.citations:
                place = (citation.start, citation.end, citation.quote)
                cited.setdefault(citation.number, []).append(place)
                best = max(citation.support, support.get(citation.number, 0.0))
                support[citation.number] = best
        by_number = {passage.number: passage for passage in self._passages}
        return [
            Source(
                by_number[number],
                tuple((start, end) for start, end, _ in places),
                tuple(dict.fromkeys(quote for _, _, quote in places)),
                support[number],
            )
            for number, places in cited.items()
            if number in by_number
        ]

    @property
    def by_assistant(self) -> bool:
        """Whether the assistant answered for itself, without the documents."""
        return self.done is not None and self.done.reader == "assistant"

    @property
    def statements(self) -> tuple[UsedStatement, ...]:
        """What the person told that was used in this turn."""
        return self.told.statements if self.told is not None and self.told.used_in else ()

    def passage(self, passage_id: str) -> FoundPassage | None:
        """A passage that was found; numbered 0 where the answer was not written with it."""
        passage = self._seen.get(passage_id)
        if passage is None or any(p.passage_id == passage_id for p in self._passages):
            return passage
        return replace(passage, number=0)

    @property
    def _passages(self) -> tuple[FoundPassage, ...]:
        return self.found.passages if self.found else ()

    @property
    def summary(self) -> str:
        """The steps in one line, for when they are folded."""
        if self.failed is not None:
            return "Could not answer"
        if self.stopped:
            return "Stopped"
        if self.done is None:
            return "Interrupted"
        if self.by_assistant:
            return "Answered without your documents"
        parts = []
        if self.found is not None:
            parts.append(f"Searched, found {counted(len(self.found.passages), 'passage')}")
        if self.growth.facts:
            parts.append(f"gathered {counted(self.growth.facts, 'fact')}")
        if "total" in self.done.seconds:
            parts.append(f"answered in {self.done.seconds['total']:.1f} s")
        return ", ".join(parts) or "Answered"


def view_of(events: Iterable[Event]) -> TurnView:
    """The view of a stored turn."""
    view = TurnView()
    for event in events:
        view.add(event)
    return view


def steps_of(events: Iterable[Event]) -> list[str]:
    """The steps of a stored turn in words; not escaped."""
    view = TurnView()
    return [text for text in map(view.add, events) if text]
