"""A turn as the page shows it, gathered from its events. Nothing here draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from assistant.events import (
    AnswerDone,
    Event,
    EvidenceSelected,
    FoundPassage,
    PassagesFound,
    QueriesWritten,
    SentenceChecked,
    StatementsChosen,
    StepDecided,
    Token,
    TurnFailed,
    TurnStarted,
    TurnStopped,
    UsedStatement,
)

_ASPECTS = {
    "question": "the question",
    "as asked": "the message as you typed it",
    "part": "a part of it",
    "likely answer": "a likely answer",
    "person": "what you told me",
}
_STAGES = {"lexical": "words", "dense": "meaning", "sparse": "related words"}


@dataclass(frozen=True, slots=True)
class Source:
    """A cited passage. `spans` are the cited sentences as offsets in the document."""

    passage: FoundPassage
    spans: tuple[tuple[int, int], ...]
    quotes: tuple[str, ...]

    @property
    def label(self) -> str:
        """For a button: number, title, page; not escaped."""
        page = f", p. {self.passage.page}" if self.passage.page is not None else ""
        return f"[{self.passage.number}] {self.passage.title}{page}"


@dataclass(slots=True)
class TurnView:
    """What has been seen of a turn so far."""

    question: str = ""
    turn_id: str = ""
    index: str = ""
    found: PassagesFound | None = None
    queries: QueriesWritten | None = None
    told: StatementsChosen | None = None
    evidence: EvidenceSelected | None = None
    decisions: list[StepDecided] = field(default_factory=list)
    written: str = ""
    checked: list[SentenceChecked] = field(default_factory=list)
    done: AnswerDone | None = None
    failed: TurnFailed | None = None
    stopped: bool = False

    def add(self, event: Event) -> str:
        """Take in the next event; returns what the step says in words, or nothing."""
        if isinstance(event, Token):
            self.written += event.text
        elif isinstance(event, SentenceChecked):
            self.checked.append(event)
        elif isinstance(event, TurnStarted):
            self.question, self.turn_id = event.question, event.turn_id
            self.index = event.index
        elif isinstance(event, QueriesWritten):
            self.queries = event
        elif isinstance(event, StatementsChosen):
            self.told = event
        elif isinstance(event, PassagesFound):
            self.found = event
        elif isinstance(event, EvidenceSelected):
            self.evidence = event
        elif isinstance(event, StepDecided):
            self.decisions.append(event)
        elif isinstance(event, AnswerDone):
            self.done = event
        elif isinstance(event, TurnFailed):
            self.failed = event
        elif isinstance(event, TurnStopped):
            self.stopped, self.written = True, event.text
        return step_text(event)

    @property
    def sources(self) -> list[Source]:
        """Cited passages in the order of their first mark; without an answer the closest ones."""
        if self.done is not None and self.done.abstained:
            closest = set(self.done.closest)
            return [Source(p, (), ()) for p in self._passages if p.number in closest]
        cited: dict[int, list[tuple[int, int, str]]] = {}
        for checked in self.done.sentences if self.done else self.checked:
            if checked.status == "dropped":
                continue
            for citation in checked.citations:
                place = (citation.start, citation.end, citation.quote)
                cited.setdefault(citation.number, []).append(place)
        by_number = {passage.number: passage for passage in self._passages}
        return [
            Source(
                by_number[number],
                tuple((start, end) for start, end, _ in places),
                tuple(dict.fromkeys(quote for _, _, quote in places)),
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
    return [text for text in map(step_text, events) if text]


def step_text(event: Event) -> str:
    """One step in words; nothing for events that are shown otherwise. Not escaped."""
    if isinstance(event, QueriesWritten):
        return _understood_text(event)
    if isinstance(event, StatementsChosen):
        used = event.statements if event.used_in else ()
        told = " ".join(f"“{statement.text}”" for statement in used)
        return f"What you told me: {told}" if told else ""
    if isinstance(event, PassagesFound):
        ways = " and ".join(filter(None, [", ".join(_ways(event)[:-1]), *_ways(event)[-1:]]))
        found = counted(len(event.passages), "passage")
        return f"Searched by {ways or 'nothing'}: {found} in {event.seconds:.2f} s"
    if isinstance(event, EvidenceSelected):
        shown = (
            f"Reading {counted(event.sentences, 'sentence')} "
            f"from {counted(len(event.passage_ids), 'passage')}"
        )
        return f"{shown}; {event.omitted} left out for length" if event.omitted else shown
    if isinstance(event, StepDecided):
        text = event.reason
        return text[:1].upper() + text[1:]
    return ""


def _understood_text(event: QueriesWritten) -> str:
    carried = f" (from before: {', '.join(event.carried)})" if event.carried else ""
    parts = [f"Understood as: {event.standalone}{carried}"]
    if len(event.aspects) > 1:
        aspects = [_ASPECTS.get(aspect, aspect) for aspect in dict.fromkeys(event.aspects)]
        parts.append(f"searched for {', '.join(aspects)}")
    if event.fallback:
        parts.append(event.fallback)
    return " · ".join(parts)


def counted(count: int, noun: str) -> str:
    """`1 passage`, `1,200 passages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _ways(event: PassagesFound) -> list[str]:
    return [_STAGES.get(stage, stage) for stage in event.stages]
