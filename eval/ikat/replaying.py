"""A topic's turns through the real pipeline, one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.events import (
    AnswerDone,
    Event,
    PassagesRanked,
    QueriesWritten,
    StatementsChosen,
    TurnFailed,
)
from assistant.pipeline import Assistant
from indexes.errors import KnowledgeAssistantError

_MARKS = re.compile(r"\s*\[\d+\]")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the pipeline made of one turn.

    `passages` are ids with scores, best first; `used` the ids that the response cites, or the
    closest ones where it abstains; `statements` the texts of the person's statements that were
    chosen; `response` has no citation marks.
    """

    standalone: str
    passages: dict[str, float]
    response: str
    used: tuple[str, ...]
    statements: tuple[str, ...]
    abstained: bool
    seconds: float


def replay_turn(assistant: Assistant, text: str, conversation: str, index: str) -> Replayed:
    """Ask one turn; the assistant has to be made with a `ranking_depth`.

    Raises:
        KnowledgeAssistantError: the turn failed, with its reason.
    """
    return replayed(list(assistant.ask(text, conversation, index=index)))


def replayed(events: Sequence[Event]) -> Replayed:
    """The outcome that a turn's events tell of.

    Raises:
        KnowledgeAssistantError: they tell of a failure.
    """
    standalone, response, abstained, seconds = "", "", False, 0.0
    passages: dict[str, float] = {}
    used: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    for event in events:
        if isinstance(event, QueriesWritten):
            standalone = event.standalone
        elif isinstance(event, StatementsChosen):
            statements = tuple(statement.text for statement in event.statements)
        elif isinstance(event, PassagesRanked):
            passages = dict(zip(event.passage_ids, event.scores, strict=True))
        elif isinstance(event, TurnFailed):
            raise KnowledgeAssistantError(event.message, remedy=event.remedy)
        elif isinstance(event, AnswerDone):
            response = _MARKS.sub("", event.text).strip()
            abstained, seconds = event.abstained, event.seconds.get("total", 0.0)
            used = _used(event, list(passages))
    return Replayed(standalone, passages, response, used, statements, abstained, seconds)


def _used(done: AnswerDone, ranked: Sequence[str]) -> tuple[str, ...]:
    if done.abstained:
        return tuple(ranked[number - 1] for number in done.closest if number <= len(ranked))
    cited = (c.passage_id for s in done.sentences if s.status != "dropped" for c in s.citations)
    return tuple(dict.fromkeys(cited))


def shortened(text: str, words: int) -> str:
    """The first sentences of a text with at most so many words; a longer first one is cut."""
    kept: list[str] = []
    for sentence in _SENTENCE.split(text):
        if len(" ".join([*kept, sentence]).split()) > words:
            break
        kept.append(sentence)
    return " ".join(kept) if kept else " ".join(text.split()[:words])
