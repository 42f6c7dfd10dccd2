"""What the person told about themselves, kept because they asked for it.

Nothing enters by itself: a statement is added by a command of the person ("remember that…", the
memory page, `assistant memory add`), can be read in full, and is gone from the disk when
forgotten.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assistant.errors import UnknownNameError, UsageError
from assistant.memory.database import Database
from assistant.understanding.statements import Statement
from assistant.understanding.words import content_words

MAX_CHARACTERS = 500
MAX_STATEMENTS = 500
# "forget that I am a vegetarian" finds "I'm vegetarian.": so much of its words must be the same.
_SAME = 0.5


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "statements"
    id: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    created: Mapped[datetime]


class PersonMemory:
    """The person's statements in one database file. Safe to share between threads and processes."""

    def __init__(self, path: Path) -> None:
        self._database = Database(
            path,
            _Base,
            "memory",
            # No write-ahead log: it would keep a forgotten statement until it is overwritten.
            pragmas=("journal_mode = DELETE", "secure_delete = ON"),
            lock_first=True,  # two processes that add the same statement keep one
        )

    def statements(self) -> list[Statement]:
        """All of them, oldest first."""
        with self._database.session() as session:
            rows = session.scalars(select(_Row).order_by(_Row.created, _Row.id))
            return [Statement(row.id, row.text) for row in rows]

    def add(self, text: str) -> Statement:
        """Keep a statement; one that is there already is returned as it is.

        Raises:
            UsageError: it is empty or too long, or there are too many.
        """
        line = " ".join(text.split())
        if not line:
            raise UsageError("there is nothing to remember", remedy="say it in a sentence")
        if len(line) > MAX_CHARACTERS:
            raise UsageError(
                f"the statement has {len(line):,} characters, at most {MAX_CHARACTERS} are kept",
                remedy="say it shorter; long text belongs into a document",
            )
        with self._database.session() as session:
            rows = session.scalars(select(_Row)).all()
            for row in rows:
                if row.text.casefold() == line.casefold():
                    return Statement(row.id, row.text)
            if len(rows) >= MAX_STATEMENTS:
                raise UsageError(
                    f"{MAX_STATEMENTS} statements are kept already", remedy="forget some first"
                )
            identity = uuid.uuid4().hex[:8]
            session.add(_Row(id=identity, text=line, created=datetime.now(UTC)))
        return Statement(identity, line)

    def forget(self, identity: str) -> Statement:
        """Remove a statement for good.

        Raises:
            UnknownNameError: there is none of that id.
        """
        with self._database.session() as session:
            row = session.get(_Row, identity)
            if row is None:
                raise UnknownNameError("statement", identity, session.scalars(select(_Row.id)))
            gone = Statement(row.id, row.text)
            session.execute(delete(_Row).where(_Row.id == identity))
        self._database.rewrite()
        return gone

    def forget_all(self) -> int:
        """Remove every statement; returns how many there were."""
        with self._database.session() as session:
            count = len(session.scalars(select(_Row.id)).all())
            session.execute(delete(_Row))
        self._database.rewrite()
        return count

    def find(self, text: str) -> Statement | None:
        """The statement that says most nearly `text`, by its words; None where none does."""
        return nearest(text, self.statements())

    def close(self) -> None:
        self._database.close()


def exported(statements: Sequence[Statement]) -> str:
    """The statements as a JSON list of objects with `id` and `text`."""
    rows = [{"id": statement.id, "text": statement.text} for statement in statements]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def nearest(text: str, statements: Sequence[Statement]) -> Statement | None:
    """The statement that shares most content words with `text` (Jaccard), at least half of them."""
    wanted = set(content_words(text))

    def likeness(statement: Statement) -> float:
        words = set(content_words(statement.text))
        return len(wanted & words) / len(wanted | words) if wanted | words else 0.0

    best = max(statements, key=likeness, default=None)
    return best if best is not None and likeness(best) >= _SAME else None
