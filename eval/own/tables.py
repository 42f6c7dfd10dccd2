"""The tables of the person's own questions and their runs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What `own-questions.sqlite` holds."""


class QuestionRow(Base):
    """A question; `turn` is the answer that it was kept from, "" where it was typed."""

    __tablename__ = "questions"
    id: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str]
    index_name: Mapped[str]
    expectation: Mapped[str]
    turn: Mapped[str] = mapped_column(index=True)
    created: Mapped[datetime]


class RunRow(Base):
    """A run of all questions or some; `ended` is None while it runs or where it was stopped."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(primary_key=True)
    started: Mapped[datetime]
    ended: Mapped[datetime | None]
    questions: Mapped[int]
    fingerprint: Mapped[str]
    settings: Mapped[str]


class ResultRow(Base):
    """What came of a question in a run."""

    __tablename__ = "results"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    question_id: Mapped[str] = mapped_column(
        ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    question: Mapped[str]
    definition: Mapped[str]
    index_name: Mapped[str]
    generation: Mapped[str]
    passed: Mapped[bool]
    judged: Mapped[str]
