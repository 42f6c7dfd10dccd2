"""The turns of a conversation, read in order: all, the last ones, a part, the place of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.events import Event, from_json
from assistant.memory.conversation_tables import TurnRow


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with what became of it. `state` is done, stopped, failed or unfinished."""

    id: str
    question: str
    answer: str
    state: str
    events: tuple[Event, ...]


def read_turn(turn: TurnRow) -> Turn:
    """A row as a turn."""
    events = tuple(from_json(line) for line in turn.events.split("\n") if line)
    return Turn(turn.id, turn.question, turn.answer, turn.state, events)


def last_turns(session: Session, conversation_id: str, last: int | None) -> Sequence[Turn]:
    """All turns, or the `last` ones, oldest first."""
    query = (
        select(TurnRow)
        .where(TurnRow.conversation_id == conversation_id)
        .order_by(TurnRow.created.desc(), TurnRow.id.desc())
        .limit(last)
    )
    return [read_turn(turn) for turn in reversed(session.scalars(query).all())]


def part_of(session: Session, conversation_id: str, start: int, stop: int) -> Sequence[Turn]:
    """The turns from the `start`-th (the oldest is 0) to before the `stop`-th."""
    query = (
        select(TurnRow)
        .where(TurnRow.conversation_id == conversation_id)
        .order_by(TurnRow.created, TurnRow.id)
        .offset(start)
        .limit(max(0, stop - start))
    )
    return [read_turn(turn) for turn in session.scalars(query)]


def count_turns(session: Session, conversation_id: str) -> int:
    """How many turns a conversation has."""
    query = select(func.count()).where(TurnRow.conversation_id == conversation_id)
    return session.scalar(query) or 0


def place_of(session: Session, conversation_id: str, turn_id: str) -> int | None:
    """Where a turn stands in its conversation, the oldest being 0; None: it is not in it."""
    here = TurnRow.conversation_id == conversation_id
    created = session.scalar(select(TurnRow.created).where(TurnRow.id == turn_id, here))
    if created is None:
        return None
    same = (TurnRow.created == created) & (TurnRow.id < turn_id)
    query = select(func.count()).where(here, (TurnRow.created < created) | same)
    return session.scalar(query) or 0
