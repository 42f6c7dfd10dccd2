"""A turn: understand → retrieve → choose evidence → answer → check → remember.

`Assistant.ask` is the only entry; it yields the typed events of `assistant.events` and everything
else (page, command line, evaluation, replay) reads that stream.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime

from assistant.answering.citing import CitationWriter
from assistant.answering.evidence import Evidence, Sentence, select_evidence
from assistant.answering.readers import NotFound, Reader
from assistant.answering.replies import reply_to
from assistant.answering.support import SupportScorer
from assistant.clock import Clock
from assistant.endings import answered, failure, replied
from assistant.errors import ModelMissingError, UsageError
from assistant.events import (
    AnswerDone,
    Event,
    EvidenceSelected,
    FoundPassage,
    PassagesFound,
    PassagesRanked,
    QueriesWritten,
    StepDecided,
    Token,
    TurnStarted,
    TurnStopped,
)
from assistant.reading import choose_reader
from assistant.retrieving import PersonalTouch, earlier_turns, find, found_passages, history_of
from assistant.thinking import TurnThinking
from assistant.thoughts.effort import EffortName
from assistant.thoughts.likeness import Likeness
from assistant.thoughts.outcome import Outcome
from assistant.understanding.choose import as_written, choose_understander
from assistant.understanding.parser import NounPhrases
from assistant.understanding.types import Message, Understanding
from assistant.workspace import Workspace
from indexes.filters import EVERYTHING, Filter
from indexes.index import SearchResult

MAX_QUESTION_CHARACTERS = 8_000


class Assistant:
    """Answers questions from one workspace's indexes. Safe to share between threads.

    Args:
        workspace: settings, indexes, weights, conversations.
        make_reader: chooses the reader for a turn; the evaluation passes its own.
        ranking_depth: how long the ranking is that `PassagesRanked` tells; 0 tells none.
    """

    def __init__(
        self,
        workspace: Workspace,
        make_reader: Callable[[Workspace], Reader] = choose_reader,
        *,
        ranking_depth: int = 0,
    ) -> None:
        self._workspace = workspace
        self._ranking_depth = ranking_depth
        self._make_reader = make_reader
        self._phrases = NounPhrases(workspace.parser)

    def ask(
        self,
        question: str,
        conversation_id: str | None = None,
        *,
        index: str | None = None,
        understood_as: str = "",
        without_statements: Collection[str] = (),
        effort: EffortName | None = None,
        where: Filter | None = None,
    ) -> Iterator[Event]:
        """One turn, as events.

        The last event is `AnswerDone` or `TurnFailed`. Closing the iterator stops the turn:
        what was written is stored as stopped.

        Args:
            conversation_id: None starts a new conversation; `TurnStarted` names it.
            index: the index to ask; None takes the one of the settings.
            understood_as: the question as it is to be understood, where the person corrects that.
            without_statements: ids of the person's statements that are left out this time. With
                either of the two, turns just before that asked the same are as if never asked.
            effort: how hard to think; None takes that of the settings.
            where: ask these documents only.

        Raises:
            UsageError: the question is empty or too long; nothing was stored.
            UnknownNameError: there is no such conversation.
        """
        text = question.strip()
        if not text:
            raise UsageError("the question is empty", remedy="type a question")
        longest = max(len(text), len(understood_as.strip()))
        if longest > MAX_QUESTION_CHARACTERS:
            raise UsageError(
                f"the question has {longest:,} characters, at most "
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
            where or EVERYTHING,
        )
        turn = self._turn(started, understood_as.strip(), without_statements, effort)
        return self._recorded(started, turn)

    def _recorded(self, started: TurnStarted, turn: Iterator[Event]) -> Iterator[Event]:
        """Run the turn and store it, however it ends."""
        events: list[Event] = []
        state, written = "stopped", ""
        try:
            for event in turn:
                if isinstance(event, Token):
                    written += event.text  # the checked sentences are stored instead
                else:
                    events.append(event)
                if isinstance(event, AnswerDone):
                    state, written = "done", event.text
                yield event
        except Exception as error:  # noqa: BLE001 - a person gets words, the log gets the trace
            state = "failed"
            failed = failure(error)
            events.append(failed)
            yield failed
        finally:
            # Also when the reader of the stream goes away (Stop, Ctrl-C, a closed page).
            if state == "stopped":
                events.append(TurnStopped(written))
            self._workspace.conversations.end_turn(started.turn_id, state, written, events)

    def _turn(
        self,
        started: TurnStarted,
        understood_as: str,
        without: Collection[str],
        effort: EffortName | None,
    ) -> Iterator[Event]:
        clock = Clock()
        settings = self._workspace.settings
        yield started
        with clock.step("understand"):
            again = bool(understood_as or without)
            earlier = earlier_turns(self._workspace.conversations, started, again=again)
            understood = self._understand(started.question, history_of(earlier), understood_as)
        yield _queries_written(understood)
        if reply := reply_to(
            started.question,
            understood,
            self._workspace.person,
            clarify=settings.understanding.clarify and not understood_as,
        ):
            yield StepDecided(understood.act, "no document needs to be asked")
            yield replied(reply, clock)
            return
        person = PersonalTouch(self._workspace, without)
        encoder = self._encoder()
        thinking = TurnThinking(self._workspace, started.index, encoder, effort)
        with clock.step("retrieve"):
            read = settings.retrieval.passages
            considered = max(read, self._ranking_depth)
            limit = max(considered, settings.retrieval.depth) if thinking.on else considered
            found = find(
                self._workspace, started, understood, earlier, person, limit, considered=considered
            )
            result, hits = found.result, found.result.hits
        if person.considered or without:
            yield person.event()
        passages = found_passages(hits[:read])
        yield _passages_found(result, passages, clock.seconds["retrieve"])
        # The rules' standalone form lists words; what is asked is in the message itself.
        asked = started.question if understood.way == "rules" else understood.standalone
        with clock.step("think"):
            yield from thinking.think(asked, found)
        names: tuple[str, ...] = ()
        wanted = asked
        if (outcome := thinking.outcome) is not None:
            hits, names, wanted = outcome.hits, outcome.carried, outcome.evidence_for(asked)
        reread = found_passages(hits[:read])
        if [p.passage_id for p in reread] != [p.passage_id for p in passages]:
            yield _passages_found(result, reread, clock.seconds["think"], after="thinking")
        passages = reread  # the same ones may have other scores
        if self._ranking_depth:
            ranked = hits[: self._ranking_depth]
            yield PassagesRanked(
                tuple(hit.passage.id for hit in ranked),
                tuple(round(hit.score, 6) for hit in ranked),
            )
        for stage, why in result.missing.items():
            yield StepDecided("retrieve", f"without the {stage} stage: {why}")
        with clock.step("choose"):
            budget = settings.answering.evidence_tokens
            carried = (*understood.carried, *names)
            evidence = select_evidence(wanted, passages, encoder, budget=budget, carried=carried)
        yield EvidenceSelected(
            tuple(p.passage_id for p in passages if p.number in evidence.numbers),
            len(evidence.sentences),
            evidence.omitted,
            evidence.tokens,
        )
        yield from self._answer(
            understood.standalone, evidence, passages, encoder, clock, person.for_reader(), outcome
        )

    def _answer(
        self,
        question: str,
        evidence: Evidence,
        passages: tuple[FoundPassage, ...],
        encoder: Likeness | None,
        clock: Clock,
        about_person: Sequence[str],
        outcome: Outcome | None,
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
            facts = outcome.in_words() if outcome is not None else ()
            for piece in reader.write(question, evidence, passages, about_person, facts):
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
        yield answered(
            question,
            sentences,
            passages,
            reader,
            clock,
            abstained=bool(refusal),
            missing_fact=outcome.missing_fact() if outcome is not None else "",
        )

    def _understand(
        self, question: str, history: Sequence[Message], understood_as: str
    ) -> Understanding:
        if understood_as:
            return as_written(understood_as)
        return choose_understander(self._workspace, self._phrases).understand(question, history)

    def _encoder(self) -> Likeness | None:
        try:
            return Likeness(self._workspace.encoders.dense())
        except ModelMissingError:
            return None  # words alone decide then; `PassagesFound.missing_stages` shows it


def _queries_written(understood: Understanding) -> QueriesWritten:
    return QueriesWritten(
        standalone=understood.standalone,
        queries=tuple(query.text for query in understood.queries),
        carried=understood.carried,
        reason=understood.reason,
        aspects=tuple(query.aspect for query in understood.queries),
        weights=tuple(query.weight for query in understood.queries),
        act=understood.act,
        way=understood.way,
        fallback=understood.fallback,
    )


def _passages_found(
    result: SearchResult,
    passages: tuple[FoundPassage, ...],
    seconds: float,
    *,
    after: str = "retrieval",
) -> PassagesFound:
    return PassagesFound(passages, result.stages, tuple(result.missing), round(seconds, 3), after)
