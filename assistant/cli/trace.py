"""The steps of a turn on standard error: `assistant ask --trace`."""

from __future__ import annotations

from rich.console import Console

from assistant.events import (
    Event,
    GraphChanged,
    PassagesFound,
    QueriesWritten,
    SentenceChecked,
    StatementsChosen,
    StepDecided,
    ThinkingDone,
    found_by,
)
from assistant.thoughts.verbalise import Narrator


class Trace:
    """Writes each event's step as it comes.

    Args:
        notes: where to.
    """

    def __init__(self, notes: Console) -> None:
        self._notes = notes
        self._queries: QueriesWritten | None = None
        self._narrator = Narrator()

    def add(self, event: Event) -> None:
        """Write what the event says, if it is a step."""
        match event:
            case QueriesWritten():
                self._queries = event
                self._show_queries(event)
            case StatementsChosen():
                self._show_statements(event)
            case PassagesFound():
                self._show_passages(event)
            case GraphChanged():
                self._line(f"  graph: {self._narrator.tell(event.batch)}")
            case ThinkingDone():
                self._show_thinking(event)
            case StepDecided():
                self._line(f"{event.step}: {event.reason}")
            case SentenceChecked() if event.status != "supported":
                self._line(f"{event.status}: {event.text}", "yellow")
            case _:
                pass

    def _show_queries(self, event: QueriesWritten) -> None:
        self._line(f"understood as: {event.standalone}")
        self._line(f"way: {event.way} ({event.act}; {event.reason})")
        if event.fallback:
            self._line(f"fallback: {event.fallback}", "yellow")
        aspects = event.aspects or ("question",) * len(event.queries)
        weights = event.weights or (1.0,) * len(event.queries)
        for text, aspect, weight in zip(event.queries, aspects, weights, strict=False):
            self._line(f"  query {weight:.2f} {aspect}: {text}")

    def _show_statements(self, event: StatementsChosen) -> None:
        used = f", used in: {', '.join(event.used_in)}" if event.used_in else ""
        self._line(f"statements: {len(event.statements)} of {event.considered} matter{used}")
        for told in event.statements:
            self._line(f"  {told.statement_id} {told.score:.3f} {told.text} ({told.reason})")

    def _show_passages(self, event: PassagesFound) -> None:
        for passage in event.passages:
            stages = " ".join(f"{s.stage}:{s.rank}" for s in passage.stages)
            beyond = "person" if event.after == "retrieval" else event.after
            aspect = found_by(passage, self._queries, beyond=beyond)
            by = f"; found by: {aspect}" if aspect else ""
            self._line(f"  [{passage.number}] {passage.score:.3f} {passage.title} ({stages}{by})")
            for entry in passage.prepared[:1]:
                kind = "question" if entry.question else "statement"
                self._line(f"      found through a prepared {kind}: {entry.text}", "dim")

    def _show_thinking(self, event: ThinkingDone) -> None:
        self._line(
            f"thought: {event.effort} ({event.kind}), {event.rounds} rounds, {event.calls} model "
            f"calls, {event.seconds:.2f} s"
        )
        for missing in event.missing:
            self._line(f"  missing: {missing}", "yellow")
        if event.stopped:
            self._line(f"  stopped: {event.stopped}", "yellow")

    def _line(self, text: str, style: str = "dim") -> None:
        self._notes.print(text, markup=False, style=style)
