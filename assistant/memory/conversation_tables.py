"""The tables of conversations. What came after the first two stands in tables of its own, so that
the file of an earlier version opens as it is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


def _conversation_key(*, primary: bool = False) -> Mapped[str]:
    return mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=primary, index=not primary
    )


def _turn_key() -> Mapped[str]:
    return mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True)


class ConversationRow(Base):
    __tablename__ = "conversations"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    created: Mapped[datetime]
    updated: Mapped[datetime]


class TurnRow(Base):
    __tablename__ = "turns"
    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = _conversation_key()
    question: Mapped[str]
    answer: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="unfinished")
    events: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime]
    # The last turns of a long conversation without reading past the events of all others.
    __table_args__ = (Index("turns_in_order", "conversation_id", "created", "id"),)


class SearchedRow(Base):
    """Question and answer of a turn, folded for search; narrow, so that all are looked through in
    milliseconds."""

    __tablename__ = "searched"
    turn_id: Mapped[str] = _turn_key()
    conversation_id: Mapped[str] = _conversation_key()
    folded: Mapped[str]


class VersionRow(Base):
    """That a turn is one of several versions, and whether it counts."""

    __tablename__ = "turn_versions"
    turn_id: Mapped[str] = _turn_key()
    # The id of the group's first turn.
    first: Mapped[str] = mapped_column(index=True)
    chosen: Mapped[bool]


class JudgedRow(Base):
    """What the person thought of an answer."""

    __tablename__ = "feedback"
    turn_id: Mapped[str] = _turn_key()
    rating: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime]


class PinRow(Base):
    __tablename__ = "pins"
    conversation_id: Mapped[str] = _conversation_key(primary=True)


class TagRow(Base):
    __tablename__ = "tags"
    conversation_id: Mapped[str] = _conversation_key(primary=True)
    tag: Mapped[str] = mapped_column(primary_key=True)


class AsideRow(Base):
    """A conversation that was deleted a moment ago and can still be brought back."""

    __tablename__ = "set_aside"
    conversation_id: Mapped[str] = _conversation_key(primary=True)
    at: Mapped[datetime]
