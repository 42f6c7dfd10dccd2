"""Conversations on disk: turns with their events, in SQLite through SQLAlchemy.

A turn is written when it begins and again when it ends, so a turn that was killed in the middle
is there afterwards, as unfinished, with its question.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from assistant.errors import UnknownNameError
from assistant.events import Event, from_json, to_json
from assistant.memory.database import Database

_TITLE_LENGTH = 60


class _Base(DeclarativeBase):
    pass


class _Conversation(_Base):
    __tablename__ = "conversations"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    created: Mapped[datetime]
    updated: Mapped[datetime]


class _Turn(_Base):
    __tablename__ = "turns"
    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    question: Mapped[str]
    answer: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="unfinished")
    events: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation in a list."""

    id: str
    title: str
    updated: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with what became of it. `state` is done, stopped, failed or unfinished."""

    id: str
    question: str
    answer: str
    state: str
    events: tuple[Event, ...]


class Conversations:
    """The conversations in one database file. Safe to share between threads and processes."""

    def __init__(self, path: Path) -> None:
        self._database = Database(
            path,
            _Base,
            "conversations",
            pragmas=("journal_mode = WAL", "foreign_keys = ON", "secure_delete = ON"),
        )

    def start(self, title: str = "") -> str:
        """A new conversation; returns its id."""
        conversation_id = uuid.uuid4().hex
        now = datetime.now(UTC)
        with self._database.session() as session:
            session.add(_Conversation(id=conversation_id, title=title, created=now, updated=now))
        return conversation_id

    def list(self, limit: int = 200) -> list[Conversation]:
        """Latest first."""
        with self._database.session() as session:
            query = select(_Conversation).order_by(_Conversation.updated.desc()).limit(limit)
            return [Conversation(c.id, c.title, c.updated) for c in session.scalars(query)]

    def exists(self, conversation_id: str) -> bool:
        with self._database.session() as session:
            return session.get(_Conversation, conversation_id) is not None

    def turns(self, conversation_id: str, *, last: int | None = None) -> Sequence[Turn]:
        """All turns, or the `last` ones, oldest first.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            self._get(session, conversation_id)
            query = (
                select(_Turn)
                .where(_Turn.conversation_id == conversation_id)
                .order_by(_Turn.created.desc(), _Turn.id.desc())
                .limit(last)
            )
            return [_read(turn) for turn in reversed(session.scalars(query).all())]

    def turn(self, turn_id: str) -> Turn:
        """One turn, of whichever conversation.

        Raises:
            UnknownNameError: there is no such turn.
        """
        with self._database.session() as session:
            found = session.get(_Turn, turn_id)
            if found is None:
                latest = select(_Turn.id).order_by(_Turn.created.desc()).limit(20)
                raise UnknownNameError("turn", turn_id, session.scalars(latest).all())
            return _read(found)

    def begin_turn(self, conversation_id: str, turn_id: str, question: str) -> None:
        """Record that a question was asked.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            conversation = self._get(session, conversation_id)
            conversation.updated = datetime.now(UTC)
            if not conversation.title:
                conversation.title = _shorten(question)
            session.add(
                _Turn(
                    id=turn_id,
                    conversation_id=conversation_id,
                    question=question,
                    created=datetime.now(UTC),
                )
            )

    def end_turn(self, turn_id: str, state: str, answer: str, events: Sequence[Event]) -> None:
        """Record how a turn ended. A turn that was deleted meanwhile stays deleted."""
        with self._database.session() as session:
            turn = session.get(_Turn, turn_id)
            if turn is not None:
                turn.state, turn.answer = state, answer
                turn.events = "\n".join(to_json(item) for item in events)

    def rename(self, conversation_id: str, title: str) -> None:
        with self._database.session() as session:
            self._get(session, conversation_id).title = _shorten(title)

    def delete(self, conversation_id: str) -> None:
        """Remove a conversation with all its turns."""
        with self._database.session() as session:
            self._get(session, conversation_id)
            session.execute(delete(_Turn).where(_Turn.conversation_id == conversation_id))
            session.execute(delete(_Conversation).where(_Conversation.id == conversation_id))

    def close(self) -> None:
        self._database.close()

    def _get(self, session: Session, conversation_id: str) -> _Conversation:
        found = session.get(_Conversation, conversation_id)
        if found is None:
            known = session.scalars(select(_Conversation.id).limit(20)).all()
            raise UnknownNameError("conversation", conversation_id, known)
        return found


def _read(turn: _Turn) -> Turn:
    events = tuple(from_json(line) for line in turn.events.split("\n") if line)
    return Turn(turn.id, turn.question, turn.answer, turn.state, events)


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1].rstrip() + "…"
