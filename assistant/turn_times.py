"""How long recent turns took, by step, from the conversations that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assistant.errors import KnowledgeAssistantError
from assistant.events import AnswerDone, TurnStarted
from assistant.memory.conversations import Conversations, Turn

_FIRST = "first word"
_NO_STEPS = ("total", _FIRST)  # a sum, and a moment


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """One turn.

    Attributes:
        at: when it began, ISO 8601, UTC; empty where that was not recorded.
        state: done, stopped, failed or unfinished.
        reader: who wrote the answer; empty where none was written.
        seconds: by step, in the order of the steps; empty unless the turn was done.
        first_word: seconds until the answer began to show; None where that was not recorded.
    """

    turn_id: str
    conversation_id: str
    question: str
    at: str
    index: str
    state: str
    reader: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    first_word: float | None = None

    @property
    def total(self) -> float:
        """Seconds of all steps together."""
        return sum(self.seconds.values())


def recent_times(conversations: Conversations, limit: int = 20) -> list[TurnTimes]:
    """The last turns of the conversations that changed last, latest first.

    A turn that an older version wrote and this one cannot read is left out.

    Raises:
        StorageError: the conversations cannot be read.
    """
    found: list[TurnTimes] = []
    # Turns of a conversation that changed earlier cannot be later than the last one of it.
    for conversation in conversations.list(limit):
        try:
            turns = conversations.turns(conversation.id, last=limit)
        except KnowledgeAssistantError:
            continue
        found += [_times(turn, conversation.id) for turn in turns]
    return sorted(found, key=lambda times: times.at, reverse=True)[:limit]


def _times(turn: Turn, conversation_id: str) -> TurnTimes:
    started = next((e for e in turn.events if isinstance(e, TurnStarted)), None)
    done = next((e for e in turn.events if isinstance(e, AnswerDone)), None)
    seconds = done.seconds if done else {}
    return TurnTimes(
        turn.id,
        conversation_id,
        turn.question,
        started.at if started else "",
        started.index if started else "",
        turn.state,
        done.reader if done else "",
        {step: spent for step, spent in seconds.items() if step not in _NO_STEPS},
        seconds.get(_FIRST),
    )
