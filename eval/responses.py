"""Responses to messages in conversations, where reference answers exist.

Each task goes through `Assistant.ask`, the same as a turn of the page: the conversation so far is
stored in a home folder of its own, understood, searched for, answered and checked. What the person
keeps (conversations, statements) is neither read nor written.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.answering.evidence import sentences_of
from assistant.answering.support import SUPPORT_THRESHOLD, SupportScorer
from assistant.events import (
    AnswerDone,
    Event,
    FoundPassage,
    PassagesFound,
    QueriesWritten,
    SentenceChecked,
    TurnFailed,
)
from assistant.memory.conversations import Conversations
from assistant.pipeline import Assistant
from assistant.workspace import Workspace
from eval.response_tasks import Exchange, ResponseTask
from eval.text_measures import rouge_l, similarity
from indexes.encoders import DenseEncoder
from indexes.errors import KnowledgeAssistantError, UnknownNameError
from indexes.progress import OnProgress, Progress

History = Literal["canonical", "own"]
HISTORIES: tuple[History, ...] = ("canonical", "own")
# "replied": the assistant spoke for itself (asked back, small talk, a command about its memory).
Outcome = Literal["answered", "abstained", "replied", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("answered", "abstained", "replied", "failed")
MEASURES = ("rouge_l", "similarity", "groundedness", "cited_recall", "found_recall")


@dataclass(frozen=True, slots=True)
class Response:
    """What the assistant made of a task.

    `text` is what a person reads, without citation marks; `sentences` are those of an answer, with
    the product's own check; `way` is what understood the message; `seconds` are of the turn alone.
    """

    task: ResponseTask
    outcome: Outcome
    text: str
    sentences: tuple[SentenceChecked, ...]
    passages: tuple[FoundPassage, ...]
    way: str
    fallback: bool
    reader: str
    seconds: float
    error: str = ""

    @property
    def cited(self) -> frozenset[str]:
        """The ids of the passages that the answer cites."""
        return frozenset(c.passage_id for s in self.sentences for c in s.citations)


@dataclass(frozen=True, slots=True)
class MeasuredResponse:
    """A response with its measures by name; None where a measure has no meaning for it."""

    response: Response
    values: dict[str, float | None]


def history_named(name: str) -> History:
    """The history of that name.

    Raises:
        UnknownNameError: there is none.
    """
    for history in HISTORIES:
        if history == name:
            return history
    raise UnknownNameError("history", name, HISTORIES)


@contextmanager
def private_workspace(workspace: Workspace) -> Iterator[Workspace]:
    """The same settings, indexes and weights over a temporary home folder, gone afterwards.

    Indexes that are built in it are the person's; conversations and statements are not.
    """
    indexes = workspace.settings.indexes_folder
    with tempfile.TemporaryDirectory(prefix="assistant-eval-") as folder:
        home = Path(folder)
        (home / indexes.name).symlink_to(indexes.absolute(), target_is_directory=True)
        opened = Workspace(workspace.settings.model_copy(update={"home": home}))
        opened.models, opened.encoders = workspace.models, workspace.encoders
        opened.answer_cache = workspace.answer_cache
        try:
            yield opened
        finally:
            opened.conversations.close()


def evaluate_responses(
    workspace: Workspace,
    tasks: Sequence[ResponseTask],
    index: str,
    *,
    history: History = "canonical",
    assistant: Assistant | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> list[MeasuredResponse]:
    """Ask every task of an index and measure the responses, in the tasks' order.

    Args:
        workspace: conversations are stored in it; see `private_workspace`.
        history: "canonical" shows the task's own earlier replies; "own" asks the earlier messages
            too, so that the conversation is the assistant's own.
        assistant: another one than the workspace's (another reader).

    Raises:
        IndexNotFoundError, UnknownNameError: there is no such index.
        KnowledgeAssistantError: a stage of the index is missing, or every turn failed.
    """
    workspace.index(index)  # before the first turn, which would only fail by itself
    asked = assistant or Assistant(workspace)
    encoder = workspace.encoders.dense()
    measured: list[MeasuredResponse] = []
    started = time.monotonic()
    for number, task in enumerate(tasks, start=1):
        conversation = _conversation(workspace, asked, task.history, index, history)
        response = _respond(asked, task, conversation, index)
        measured.append(MeasuredResponse(response, measure(response, encoder)))
        seconds = time.monotonic() - started
        on_progress(Progress("respond", number, len(tasks), "tasks", seconds))
    if measured and all(m.response.outcome == "failed" for m in measured):
        raise KnowledgeAssistantError(
            f"every turn failed, the first one: {measured[0].response.error}",
            remedy="assistant doctor",
        )
    return measured


def measure(response: Response, encoder: DenseEncoder) -> dict[str, float | None]:
    """The values of `MEASURES` for one response, each in [0, 1] or None.

    Without reference answers there is no likeness, without written sentences no groundedness, and
    without reference passages no recall. A failed turn is likened as an empty text, which gives 0.
    """
    task = response.task
    wanted = set(task.reference_passages)
    found = {passage.passage_id for passage in response.passages}
    references = task.references
    return {
        "rouge_l": rouge_l(response.text, references) if references else None,
        "similarity": similarity(response.text, references, encoder) if references else None,
        "groundedness": groundedness(response, encoder),
        "cited_recall": len(wanted & response.cited) / len(wanted) if wanted else None,
        "found_recall": len(wanted & found) / len(wanted) if wanted else None,
    }


def groundedness(response: Response, encoder: DenseEncoder | None) -> float | None:
    """Share of the answer's sentences that a retrieved passage supports.

    The product's check sees the sentences that the reader was shown; a sentence that it finds
    unsupported is scored here against all sentences of all retrieved passages, by the same score
    and `SUPPORT_THRESHOLD`. None where there is no answer.
    """
    if not response.sentences:
        return None
    scorer = SupportScorer(sentences_of(response.passages), encoder)
    supported = sum(
        sentence.status == "supported" or _supports(scorer, sentence.text)
        for sentence in response.sentences
    )
    return supported / len(response.sentences)


def _supports(scorer: SupportScorer, text: str) -> bool:
    supports = scorer.score(text)
    return bool(supports) and supports[0].score >= SUPPORT_THRESHOLD


def store_history(conversations: Conversations, history: Sequence[Exchange]) -> str:
    """A new conversation that went as `history` says; returns its id.

    A reply counts as an answer, even one that says that nothing is known.
    """
    conversation = conversations.start("evaluation")
    for number, exchange in enumerate(history):
        # Numbered ids keep the order of turns that begin within one tick of the clock.
        turn = f"{conversation}-{number:04}"
        conversations.begin_turn(conversation, turn, exchange.message)
        events: list[Event] = [_said(exchange.reply)] if exchange.reply else []
        state = "done" if exchange.reply else "stopped"
        conversations.end_turn(turn, state, exchange.reply, events)
    return conversation


def _said(text: str) -> AnswerDone:
    return AnswerDone(text, (), "assistant", False, False, "", ())


def _conversation(
    workspace: Workspace,
    assistant: Assistant,
    earlier: Sequence[Exchange],
    index: str,
    history: History,
) -> str:
    if history == "canonical":
        return store_history(workspace.conversations, earlier)
    conversation = workspace.conversations.start("evaluation")
    for exchange in earlier:
        for _ in assistant.ask(exchange.message, conversation, index=index):
            pass
    return conversation


def _respond(assistant: Assistant, task: ResponseTask, conversation: str, index: str) -> Response:
    started = time.monotonic()
    events = list(assistant.ask(task.text, conversation, index=index))
    return response_of(task, events, time.monotonic() - started)


def response_of(task: ResponseTask, events: Sequence[Event], seconds: float) -> Response:
    """The response that a turn's events tell of.

    Raises:
        KnowledgeAssistantError: the search went without a stage; figures would mislead.
    """
    passages: tuple[FoundPassage, ...] = ()
    way, fallback = "", False
    for event in events:
        if isinstance(event, PassagesFound):
            passages = event.passages
            if event.missing_stages:
                raise KnowledgeAssistantError(
                    f"cannot evaluate without every stage: {', '.join(event.missing_stages)}",
                    remedy="assistant models fetch embedder sparse, then build the index again",
                )
        elif isinstance(event, QueriesWritten):
            way, fallback = event.way, bool(event.fallback)
    last = events[-1]
    if isinstance(last, TurnFailed):
        return Response(
            task, "failed", "", (), passages, way, fallback, "", seconds, error=last.message
        )
    assert isinstance(last, AnswerDone)  # a turn has no other end
    if last.abstained or last.reader == "assistant":
        outcome: Outcome = "abstained" if last.abstained else "replied"
        return Response(task, outcome, last.text, (), passages, way, fallback, last.reader, seconds)
    kept = tuple(s for s in last.sentences if s.status != "dropped")
    text = " ".join(sentence.text for sentence in kept)
    return Response(task, "answered", text, kept, passages, way, fallback, last.reader, seconds)
