"""A turn: understand → retrieve → choose evidence → answer → check → remember.

`Assistant.ask` is the only entry; it yields the typed events of `assistant.events` and everything
else (page, command line, evaluation, replay) reads that stream.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime

from assistant.announcing import passages_found, queries_written
from assistant.answering.evidence import gather_evidence
from assistant.answering.readers import Reader
from assistant.answering.replies import reply_to
from assistant.clock import Clock
from assistant.endings import failure, replied
from assistant.errors import ModelMissingError, UnknownNameError, UsageError
from assistant.events import (
    AnswerDone,
    Event,
    EvidenceSelected,
    PassagesRanked,
    StepDecided,
    Token,
    TurnStarted,
    TurnStopped,
)
from assistant.options import AS_SET, TurnOptions
from assistant.reading import choose_reader
from assistant.retrieving import PersonalTouch, earlier_turns, find, found_passages, history_of
from assistant.thinking import TurnThinking
from assistant.thoughts.likeness import Likeness
from assistant.turn_answer import Asked, answer
from assistant.turn_workspace import TurnWorkspace, with_choices
from assistant.understanding.choose import as_written, choose_understander
from assistant.understanding.parser import NounPhrases
from assistant.understanding.types import Message, Understanding
from assistant.workspace import Workspace
from indexes.filters import EVERYTHING, Filter

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
        without_facts: Collection[str] = (),
        options: TurnOptions = AS_SET,
        version_of: str = "",
        where: Filter | None = None,
    ) -> Iterator[Event]:
        """One turn, as events.

        The last event is `AnswerDone` or `TurnFailed`. Closing the iterator stops the turn:
        what was written is stored as stopped.

        Args:
            conversation_id: None starts a new conversation; `TurnStarted` names it.
            index: the index to ask; None takes the one of the settings.
            understood_as: the question as it is to be understood, where the person corrects that.
            without_statements: ids of the person's statements that are left out this time.
            without_facts: ids of facts of an answer's graph that do not count this time; the
                sentences that state them are not read. With any of the three, turns just before
                that asked the same are as if never asked.
            options: choices for this question in place of the settings.
            version_of: a turn of the conversation that this one is asked in place of: what came
                after it is not looked at, and this one counts from now on.
            where: ask these documents only; files of the conversation are asked in any case.

        Raises:
            UsageError: the question is empty or too long, or an option has no such value; nothing
                was stored.
            UnknownNameError: there is no such conversation, or it has no such turn.
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
        with_choices(self._workspace.settings, options)  # refused before anything is stored
        if version_of and conversations.place(conversation_id or "", version_of) is None:
            known = conversations.turns(conversation_id or "", last=20)
            raise UnknownNameError("turn", version_of, [turn.id for turn in known])
        conversation = conversation_id or conversations.start()
        turn_id = uuid.uuid4().hex
        conversations.begin_turn(conversation, turn_id, text)
        if version_of:
            self._workspace.versions.add(turn_id, version_of)
        started = TurnStarted(
            turn_id,
            conversation,
            text,
            index or self._workspace.settings.retrieval.index,
            datetime.now(UTC).isoformat(timespec="seconds"),
            where or EVERYTHING,
            options,
            version_of,
            tuple(without_facts),
        )
        turn = self._turn(started, understood_as.strip(), without_statements)
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
    ) -> Iterator[Event]:
        clock = Clock()
        yield started
        workspace = self._for(started)
        settings = workspace.settings
        with clock.step("understand"):
            again = bool(understood_as or without or started.without_facts)
            earlier = earlier_turns(
                workspace.conversations, workspace.versions, started, again=again
            )
            history = history_of(earlier)
            understood = self._understand(workspace, started, history, understood_as)
        yield queries_written(understood)
        if reply := reply_to(
            started.question,
            understood,
            workspace.person,
            clarify=settings.understanding.clarify and not understood_as,
        ):
            yield StepDecided(understood.act, "no document needs to be asked")
            yield replied(reply, clock)
            return
        person = PersonalTouch(self._workspace, without)
        encoder = self._encoder()
        thinking = TurnThinking(
            workspace, started.index, encoder, without_facts=started.without_facts
        )
        with clock.step("retrieve"):
            read = settings.retrieval.passages
            considered = max(read, self._ranking_depth)
            limit = max(considered, settings.retrieval.depth) if thinking.on else considered
            found = find(
                workspace, started, understood, earlier, person, limit, considered=considered
            )
            result, hits = found.result, found.result.hits
        if person.considered or without:
            yield person.event()
        prepared = workspace.prepared(started.index)
        attached = workspace.attachments.holds
        passages = found_passages(hits[:read], prepared, attached)
        yield passages_found(result, passages, clock.seconds["retrieve"])
        # Where words were carried over, the standalone form lists them; what is asked is in the
        # message itself.
        listed = understood.way in ("rules", "distilled")
        asked = started.question if listed else understood.standalone
        with clock.step("think"):
            yield from thinking.think(asked, found)
        names: tuple[str, ...] = ()
        wanted, unread = asked, list[str]()
        if (outcome := thinking.outcome) is not None:
            unread = [place.quote for place in outcome.left_out]
            hits, names, wanted = outcome.hits, outcome.carried, outcome.evidence_for(asked)
        reread = found_passages(hits[:read], prepared, attached)
        if [p.passage_id for p in reread] != [p.passage_id for p in passages]:
            yield passages_found(result, reread, clock.seconds["think"], after="thinking")
        passages = reread  # the same ones may have other scores
        if self._ranking_depth:
            ranked = hits[: self._ranking_depth]
            yield PassagesRanked(
                tuple(hit.passage.id for hit in ranked),
                tuple(round(hit.score, 6) for hit in ranked),
            )
        for stage, why in result.missing.items():
            yield StepDecided("retrieve", f"without the {stage} stage: {why}")
        with clock.step("load reader"):
            reader = self._make_reader(workspace)
        longer = settings.answering.length == "long"  # more to say needs more to read
        with clock.step("choose"):
            evidence = gather_evidence(
                wanted,
                passages,
                encoder,
                everything=reader.reads_everything,
                budget=settings.answering.evidence_tokens * (1 + longer),
                carried=(*understood.carried, *names),
                without=unread,
            )
        yield EvidenceSelected(
            tuple(p.passage_id for p in passages if p.number in evidence.numbers),
            len(evidence.sentences),
            evidence.omitted,
            evidence.tokens,
        )
        about = person.for_reader()
        question = Asked(
            understood.standalone, evidence, passages, encoder, about, thinking.outcome
        )
        yield from answer(workspace, reader, question, clock)

    def _for(self, started: TurnStarted) -> Workspace:
        """The workspace as this turn sees it."""
        beside = self._workspace.attachments.index(started.conversation_id)
        if not started.options.chosen and beside is None:
            return self._workspace
        return TurnWorkspace(self._workspace, started.options, beside)

    def _understand(
        self,
        workspace: Workspace,
        started: TurnStarted,
        history: Sequence[Message],
        understood_as: str,
    ) -> Understanding:
        if understood_as:
            return as_written(understood_as)
        chosen = choose_understander(workspace, self._phrases, started.index)
        return chosen.understand(started.question, history)

    def _encoder(self) -> Likeness | None:
        try:
            return Likeness(self._workspace.encoders.dense())
        except ModelMissingError:
            return None  # words alone decide then; `PassagesFound.missing_stages` shows it
