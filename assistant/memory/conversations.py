"""Conversations on disk: turns with their events, in SQLite through SQLAlchemy.

A turn is written when it begins and again when it ends, so a turn that was killed in the middle
is there afterwards, as unfinished, with its question.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from assistant.errors import UnknownNameError
from assistant.events import Event, to_json
from assistant.memory.conversation_list import (
    Conversation,
    checked_tags,
    find_conversation,
    listed,
    ordered,
    replace_pin,
    replace_tags,
    tags_in_use,
)
from assistant.memory.conversation_search import (
    TurnFound,
    fill_in,
    find_turns,
    remember_words,
    words_of,
)
from assistant.memory.conversation_tables import AsideRow, Base, ConversationRow, TurnRow
from assistant.memory.conversation_turns import (
    Turn,
    count_turns,
    last_turns,
    part_of,
    place_of,
    read_turn,
)
from assistant.memory.database import Database

__all__ = ["UNDO", "Base", "Conversation", "Conversations", "Turn", "shorten"]

UNDO = timedelta(minutes=10)
"""How long a conversation that was set aside can be brought back."""
_TITLE_LENGTH = 60


class Conversations:
    """The conversations in one database file. Safe to share between threads and processes.

    What was set aside longer than `UNDO` ago is removed when the file is opened.

    Args:
        on_delete: hears the id of a conversation that was removed for good.
    """

    def __init__(self, path: Path, on_delete: Callable[[str], None] = lambda _: None) -> None:
        self._on_delete = on_delete
        self._database = Database(
            path,
            Base,
            "conversations",
            pragmas=("journal_mode = WAL", "foreign_keys = ON", "secure_delete = ON"),
        )
        with self._database.session() as session:
            fill_in(session)
        self.purge()

    @property
    def database(self) -> Database:
        """The file, for what reads and writes whole conversations."""
        return self._database

    def start(self, title: str = "") -> str:
        """A new conversation; returns its id."""
        conversation_id = uuid.uuid4().hex
        now = datetime.now(UTC)
        with self._database.session() as session:
            session.add(ConversationRow(id=conversation_id, title=title, created=now, updated=now))
        return conversation_id

    def list(self, limit: int = 200, *, tag: str = "") -> list[Conversation]:
        """Pinned ones first, then latest first.

        Args:
            tag: those with this tag only; empty: all.
        """
        with self._database.session() as session:
            return listed(session, ordered(tag).limit(limit))

    def search(
        self, text: str, limit: int = 30, *, tag: str = ""
    ) -> Sequence[tuple[Conversation, TurnFound]]:
        """Conversations with all words of `text` in one turn or in the title, in `list`'s order.

        Each comes with the latest turn that has them.
        """
        words = words_of(text)
        if not words:
            return []
        with self._database.session() as session:
            known = {item.id: item for item in listed(session, ordered(tag))}
            found = find_turns(session, words, tuple(known), limit)
            return [(known[turn.conversation_id], turn) for turn in found]

    def get(self, conversation_id: str) -> Conversation:
        """One conversation.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            self._get(session, conversation_id)
            query = ordered("").where(ConversationRow.id == conversation_id)
            return listed(session, query)[0]

    def exists(self, conversation_id: str) -> bool:
        with self._database.session() as session:
            return find_conversation(session, conversation_id) is not None

    def turns(self, conversation_id: str, *, last: int | None = None) -> Sequence[Turn]:
        """All turns, or the `last` ones, oldest first.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            self._get(session, conversation_id)
            return last_turns(session, conversation_id, last)

    def part(self, conversation_id: str, start: int, stop: int) -> Sequence[Turn]:
        """The turns from the `start`-th (the oldest is 0) to before the `stop`-th.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            self._get(session, conversation_id)
            return part_of(session, conversation_id, start, stop)

    def count(self, conversation_id: str) -> int:
        """How many turns a conversation has; 0 where there is none."""
        with self._database.session() as session:
            return count_turns(session, conversation_id)

    def place(self, conversation_id: str, turn_id: str) -> int | None:
        """Where a turn stands in its conversation, the oldest being 0; None: it is not in it."""
        with self._database.session() as session:
            return place_of(session, conversation_id, turn_id)

    def turn(self, turn_id: str) -> Turn:
        """One turn, of whichever conversation.

        Raises:
            UnknownNameError: there is no such turn.
        """
        with self._database.session() as session:
            found = session.get(TurnRow, turn_id)
            if found is None or find_conversation(session, found.conversation_id) is None:
                latest = select(TurnRow.id).order_by(TurnRow.created.desc()).limit(20)
                raise UnknownNameError("turn", turn_id, session.scalars(latest).all())
            return read_turn(found)

    def begin_turn(self, conversation_id: str, turn_id: str, question: str) -> None:
        """Record that a question was asked.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        now = datetime.now(UTC)
        with self._database.session() as session:
            conversation = self._get(session, conversation_id)
            conversation.updated = now
            if not conversation.title:
                conversation.title = shorten(question)
            session.add(
                TurnRow(id=turn_id, conversation_id=conversation_id, question=question, created=now)
            )
            session.flush()
            remember_words(session, turn_id, conversation_id, question)

    def end_turn(self, turn_id: str, state: str, answer: str, events: Sequence[Event]) -> None:
        """Record how a turn ended. A turn that was deleted meanwhile stays deleted."""
        with self._database.session() as session:
            turn = session.get(TurnRow, turn_id)
            if turn is not None:
                turn.state, turn.answer = state, answer
                turn.events = "\n".join(to_json(item) for item in events)
                text = f"{turn.question}\n{answer}"
                remember_words(session, turn_id, turn.conversation_id, text)

    def rename(self, conversation_id: str, title: str) -> None:
        """Give it another title.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            self._get(session, conversation_id).title = shorten(title)

    def pin(self, conversation_id: str, *, pinned: bool = True) -> None:
        """Let it stand before all that are not pinned, or no longer.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            self._get(session, conversation_id)
            replace_pin(session, conversation_id, pinned=pinned)

    def tag(self, conversation_id: str, tags: Iterable[str]) -> None:
        """Give it these tags and no others.

        Raises:
            UnknownNameError: there is no such conversation.
            UsageError: a tag is too long, or there are too many.
        """
        wanted = checked_tags(tags)
        with self._database.session() as session:
            self._get(session, conversation_id)
            replace_tags(session, conversation_id, wanted)

    def tags(self) -> Sequence[str]:
        """Every tag in use, in order."""
        with self._database.session() as session:
            return tags_in_use(session)

    def set_aside(self, conversation_id: str) -> None:
        """Take it away; for `UNDO` it can be put back, then `purge` removes it for good.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            self._get(session, conversation_id)
            session.add(AsideRow(conversation_id=conversation_id, at=datetime.now(UTC)))

    def put_back(self, conversation_id: str) -> None:
        """Bring back what was set aside, as it was.

        Raises:
            UnknownNameError: it is gone by now, or was never set aside.
        """
        with self._database.session() as session:
            row = session.get(AsideRow, conversation_id)
            if row is None:
                known = session.scalars(select(AsideRow.conversation_id)).all()
                raise UnknownNameError("deleted conversation", conversation_id, known)
            session.delete(row)

    def aside(self) -> Sequence[Conversation]:
        """What can be put back, latest first."""
        with self._database.session() as session:
            query = (
                select(ConversationRow)
                .join(AsideRow, AsideRow.conversation_id == ConversationRow.id)
                .order_by(AsideRow.at.desc())
            )
            return listed(session, query)

    def purge(self, kept: timedelta = UNDO) -> int:
        """Remove for good what was set aside longer ago than `kept`; returns how many."""
        with self._database.session() as session:
            rows = session.execute(select(AsideRow.conversation_id, AsideRow.at)).all()
            # SQLite gives the time back without its zone, which is UTC.
            now = datetime.now(UTC).replace(tzinfo=None)
            gone = [identity for identity, at in rows if now - at.replace(tzinfo=None) >= kept]
            _remove(session, gone)
        if gone:
            self._removed(gone)
        return len(gone)

    def delete(self, conversation_id: str) -> None:
        """Remove a conversation with all its turns, at once and for good.

        Raises:
            UnknownNameError: there is no such conversation.
        """
        with self._database.session() as session:
            if session.get(ConversationRow, conversation_id) is None:
                self._get(session, conversation_id)
            _remove(session, [conversation_id])
        self._removed([conversation_id])

    def close(self) -> None:
        self._database.close()

    def _removed(self, ids: Iterable[str]) -> None:
        for identity in ids:
            self._on_delete(identity)
        self._database.rewrite()

    def _get(self, session: Session, conversation_id: str) -> ConversationRow:
        found = find_conversation(session, conversation_id)
        if found is None:
            query = ordered("").with_only_columns(ConversationRow.id).limit(20)
            raise UnknownNameError("conversation", conversation_id, session.scalars(query).all())
        return found


def shorten(text: str) -> str:
    """A title: one line of at most 60 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 1].rstrip() + "…"


def _remove(session: Session, ids: Collection[str]) -> None:
    for identity in ids:
        # All else of a conversation goes with it (foreign keys).
        session.execute(delete(ConversationRow).where(ConversationRow.id == identity))
