"""What the person thought of an answer: a thumb and, if they like, a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import select

from assistant.errors import UnknownNameError, UsageError
from assistant.memory.conversation_tables import JudgedRow, TurnRow
from assistant.memory.database import Database

Rating = Literal["up", "down"]
MAX_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Judged:
    """A turn with what the person thought of it; `at` is ISO 8601, UTC."""

    turn_id: str
    conversation_id: str
    question: str
    answer: str
    rating: Rating
    reason: str
    at: str


class Feedback:
    """The feedback in the conversations' database file; it goes with its turn.

    Safe to share between threads.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, turn_id: str, rating: Rating, reason: str = "") -> None:
        """Keep a judgement; one that was given before is replaced.

        Raises:
            UnknownNameError: there is no such turn.
            UsageError: the reason is too long.
        """
        line = reason.strip()
        if len(line) > MAX_CHARACTERS:
            raise UsageError(
                f"the reason has {len(line):,} characters, at most {MAX_CHARACTERS:,} are kept",
                remedy="say it shorter",
            )
        with self._database.session() as session:
            known = select(TurnRow.id).where(TurnRow.id == turn_id)
            if session.scalar(known) is None:
                raise UnknownNameError("turn", turn_id, [])
            now = datetime.now(UTC)
            session.merge(JudgedRow(turn_id=turn_id, rating=rating, reason=line, created=now))

    def take_back(self, turn_id: str) -> None:
        """Forget the judgement of a turn, if there is one."""
        with self._database.session() as session:
            row = session.get(JudgedRow, turn_id)
            if row is not None:
                session.delete(row)

    def of(self, turn_id: str) -> tuple[Rating, str] | None:
        """The judgement of a turn with its reason; None where there is none."""
        with self._database.session() as session:
            row = session.get(JudgedRow, turn_id)
            return (_rating(row.rating), row.reason) if row is not None else None

    def list(self) -> list[Judged]:
        """All judgements, latest first."""
        with self._database.session() as session:
            rows = session.execute(
                select(JudgedRow, TurnRow.conversation_id, TurnRow.question, TurnRow.answer)
                .join(TurnRow, TurnRow.id == JudgedRow.turn_id)
                .order_by(JudgedRow.created.desc(), JudgedRow.turn_id)
            )
            return [
                Judged(
                    row.turn_id,
                    conversation,
                    question,
                    answer,
                    _rating(row.rating),
                    row.reason,
                    row.created.isoformat(timespec="seconds"),
                )
                for row, conversation, question, answer in rows
            ]


def exported(judged: Sequence[Judged]) -> str:
    """One JSON object a line."""
    return "".join(f"{json.dumps(asdict(one), ensure_ascii=False)}\n" for one in judged)


def _rating(value: str) -> Rating:
    return "up" if value == "up" else "down"
