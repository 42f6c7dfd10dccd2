"""A turn: understand → retrieve → choose evidence → answer → check → remember.

`Assistant.ask` is the only entry; it yields the typed events of `assistant.events` and everything
else (page, command line, evaluation, replay) reads that stream.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from assistant.answering.abstention import ABSTENTION, closest_passages, missing_piece
from assistant.answering.citing import CitationWriter, answer_text
from assistant.answering.evidence import Evidence, Sentence, select_evidence
from assistant.answering.readers import NotFound, Reader
from assistant.answering.support import SupportScorer
from assistant.errors import KnowledgeAssistantError, ModelMissingError, UsageError
from assistant.events import (
    AnswerDone,
    Event,
    EvidenceSelected,
    FoundPassage,
    PassagesFound,
    QueriesWritten,
    SentenceChecked,
    StageScore,
    StepDecided,
    Token,
    TurnFailed,
    TurnStarted,
    TurnStopped,
)
from assistant.memory.conversations import Turn
from assistant.reading import choose_reader
from assistant.understanding.followup import understand
from assistant.understanding.parser import NounPhrases
from assistant.workspace import Workspace
from indexes.encoders import DenseEncoder
from indexes.index import Hit

MAX_QUESTION_CHARACTERS = 8_000
_HISTORY_TURNS = 4

_log = logging.getLogger(__name__)


class Assistant:
    """Answers questions from one workspace's indexes. Safe to share between threads.

    Args:
        workspace: settings, indexes, weights, conversations.
        make_reader: chooses the reader for a turn; the evaluation passes its own.
    """

    def __init__(
        self,
        workspace: Workspace,
        make_reader: Callable[[Workspace], Reader] = choose_reader,
    ) -> None:
        self._workspace = workspace
        self._make_reader = make_reader
        self._phrases = NounPhrases(workspace.models, workspace.settings.models.parser)

    def ask(
        self, question: str, conversation_id: str | None = None, *, index: str | None = None
    ) -> Iterator[Event]:
        """One turn, as events.

        The last event is `AnswerDone` or `TurnFailed`. Closing the iterator stops the turn:
        what was written is stored as stopped.

        Args:
            conversation_id: None starts a new conversation; `TurnStarted` names it.
            index: the index to ask; None takes the one of the settings.

        Raises:
            UsageError: the question is empty or too long; nothing was stored.
            UnknownNameError: there is no such conversation.
        """
        text = question.strip()
        if not text:
            raise UsageError("the question is empty", remedy="type a question")
        if len(text) > MAX_QUESTION_CHARACTERS:
            raise UsageError(
                f"the question has {len(text):,} characters, at most "
                f"{MAX_QUESTION_CHARACTERS:,} are read",
                remedy="ask in fewer words; long text belongs into a document",
            )
        conversations = self._workspace.conversations
        conversation = conversation_id or conversations.start()
        turn_id = uuid.uuid4().hex
        conversations.begin_turn(conversation, turn_id, text)
        started = TurnStarted(
            turn_id,
            conversation,
            text,
            index or self._workspace.settings.retrieval.index,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        return self._recorded(started)

    def _recorded(self, started: TurnStarted) -> Iterator[Event]:
        """Run the turn and store it, however it ends."""
        events: list[Event] = []
        state, written = "stopped", ""
        try:
            for event in self._turn(started):
                if isinstance(event, Token):
                    written += event.text  # the checked sentences are stored instead
                else:
                    events.append(event)
                if isinstance(event, AnswerDone):
                    state, written = "done", event.text
                yield event
        except Exception as error:  # noqa: BLE001 - a person gets words, the log gets the trace
            state = "failed"
            failed = _failure(error)
            events.append(failed)
            yield failed
        finally:
            # Also when the reader of the stream goes away (Stop, Ctrl-C, a closed page).
            if state == "stopped":
                events.append(TurnStopped(written))
            self._workspace.conversations.end_turn(started.turn_id, state, written, events)

    def _turn(self, started: TurnStarted) -> Iterator[Event]:
        clock = _Clock()
        yield started
        with clock.step("understand"):
            history = self._history(started)
            understood = understand(started.question, history, self._phrases)
        yield QueriesWritten(
            understood.standalone, (understood.query,), understood.carried, understood.reason
        )
        with clock.step("retrieve"):
            result = self._workspace.search(started.index, understood.query)
            passages = found_passages(result.hits)
        yield PassagesFound(
            passages, result.stages, tuple(result.missing), round(clock.seconds["retrieve"], 3)
        )
        for stage, why in result.missing.items():
            yield StepDecided("retrieve", f"without the {stage} stage: {why}")
        encoder = self._encoder()
        with clock.step("choose"):
            budget = self._workspace.settings.answering.evidence_tokens
            evidence = select_evidence(
                started.question, passages, encoder, budget=budget, carried=understood.carried
            )
        yield EvidenceSelected(
            tuple(p.passage_id for p in passages if p.number in evidence.numbers),
            len(evidence.sentences),
            evidence.omitted,
            evidence.tokens,
        )
        yield from self._answer(understood.standalone, evidence, passages, encoder, clock)

    def _answer(
        self,
        question: str,
        evidence: Evidence,
        passages: tuple[FoundPassage, ...],
        encoder: DenseEncoder | None,
        clock: _Clock,
    ) -> Iterator[Event]:
        with clock.step("load reader"):
            reader = self._make_reader(self._workspace)
        settings = self._workspace.settings.answering
        writer = CitationWriter(
            passages,
            SupportScorer(evidence.sentences, encoder),
            drop=settings.unsupported == "drop",
        )
        refusal = ""
        with clock.step("answer"):
            for piece in reader.write(question, evidence, passages):
                if isinstance(piece, NotFound):
                    refusal = piece.why
                elif isinstance(piece, Sentence):
                    yield Token(f"{piece.text} [{piece.number}] ")
                    yield writer.quote(piece)
                else:
                    clock.first("first word")
                    yield Token(piece)
                    yield from writer.feed(piece)
            yield from writer.finish()
        sentences = tuple(writer.sentences)
        if not refusal and not any(s.status == "supported" for s in sentences):
            refusal = "nothing that was written is supported by a passage"
        if refusal:
            yield StepDecided("abstain", refusal)
        yield _done(question, sentences, passages, reader, clock, abstained=bool(refusal))

    def _history(self, started: TurnStarted) -> list[tuple[str, str]]:
        turns = self._workspace.conversations.turns(
            started.conversation_id,
            last=_HISTORY_TURNS + 1,  # this turn is among them
        )
        earlier = [turn for turn in turns if turn.id != started.turn_id]
        return [(turn.question, _said(turn)) for turn in earlier[-_HISTORY_TURNS:]]

    def _encoder(self) -> DenseEncoder | None:
        try:
            return self._workspace.encoders.dense()
        except ModelMissingError:
            return None  # words alone decide then; `PassagesFound.missing_stages` shows it


def _failure(error: Exception) -> TurnFailed:
    if isinstance(error, KnowledgeAssistantError):
        return TurnFailed(error.message, error.remedy, error.exit_status)
    _log.error("a turn failed", exc_info=error)
    reason = f"something unexpected went wrong: {type(error).__name__}: {str(error)[:200]}"
    return TurnFailed(reason, "ask again; if it stays, run `assistant doctor`")


def _said(turn: Turn) -> str:
    """What an earlier answer adds to the conversation: nothing, where there was none."""
    answered = any(isinstance(e, AnswerDone) and not e.abstained for e in turn.events)
    return turn.answer if answered else ""


def found_passages(hits: Sequence[Hit]) -> tuple[FoundPassage, ...]:
    """Search hits as numbered passages, the number being the rank."""
    return tuple(
        FoundPassage(
            number=hit.rank,
            passage_id=hit.passage.id,
            document_id=hit.passage.document_id,
            title=hit.passage.title,
            uri=hit.passage.uri,
            text=hit.passage.text,
            start=hit.passage.start,
            end=hit.passage.end,
            page=hit.passage.page,
            headings=hit.passage.headings,
            score=round(hit.score, 4),
            stages=tuple(
                StageScore(stage, place.rank, round(place.score, 4))
                for stage, place in hit.stages.items()
            ),
        )
        for hit in hits
    )


def _done(
    question: str,
    sentences: tuple[SentenceChecked, ...],
    passages: tuple[FoundPassage, ...],
    reader: Reader,
    clock: _Clock,
    *,
    abstained: bool,
) -> AnswerDone:
    missing = missing_piece(question, passages) if abstained else ""
    return AnswerDone(
        text=f"{ABSTENTION} {missing}" if abstained else answer_text(sentences),
        sentences=sentences,
        reader=reader.kind,
        quoted=reader.kind == "extractive",
        abstained=abstained,
        missing=missing,
        closest=closest_passages(passages) if abstained else (),
        seconds={name: round(value, 3) for name, value in clock.finished().items()},
    )


class _Clock:
    """Seconds by step of a turn."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - began

    def first(self, name: str) -> None:
        """Note a moment, counted from the beginning of the turn, the first time only."""
        self.seconds.setdefault(name, time.monotonic() - self._began)

    def finished(self) -> dict[str, float]:
        return {**self.seconds, "total": time.monotonic() - self._began}
