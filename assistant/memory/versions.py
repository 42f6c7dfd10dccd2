"""Turns that are versions of one another: one question, answered or asked anew.

All versions are kept; one of each group is chosen, and only that one is part of the conversation
that the next question is understood in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from assistant.errors import UnknownNameError
from assistant.memory.conversation_tables import VersionRow
from assistant.memory.conversations import Turn
from assistant.memory.database import Database


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a conversation: the turn that counts, and the ids of its versions, oldest
    first; a turn without others is its only version."""

    turn: Turn
    versions: tuple[str, ...]

    @property
    def number(self) -> int:
        """Which version the turn is, from 1."""
        return self.versions.index(self.turn.id) + 1


class Versions:
    """The versions in the conversations' database file. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, turn_id: str, version_of: str) -> None:
        """Make a turn a version of another one, and the chosen one."""
        with self._database.session() as session:
            known = session.get(VersionRow, version_of)
            first = known.first if known is not None else version_of
            if known is None:
                session.add(VersionRow(turn_id=version_of, first=first, chosen=False))
            self._choose(session, first, "")
            session.add(VersionRow(turn_id=turn_id, first=first, chosen=True))

    def choose(self, turn_id: str) -> None:
        """Let another version count.

        Raises:
            UnknownNameError: the turn has no versions.
        """
        with self._database.session() as session:
            known = session.get(VersionRow, turn_id)
            if known is None:
                raise UnknownNameError(
                    "version", turn_id, session.scalars(select(VersionRow.turn_id))
                )
            self._choose(session, known.first, turn_id)

    def places(self, turns: Sequence[Turn]) -> list[Place]:
        """A conversation's turns, oldest first, with the versions of each in one place."""
        groups = self._groups([turn.id for turn in turns])
        by_id = {turn.id: turn for turn in turns}
        found = []
        for turn in turns:
            members, chosen = groups.get(turn.id, ((turn.id,), turn.id))
            # Of a part of a conversation, the place of a group is where the one that counts is.
            if members[0] == turn.id and chosen in by_id:
                found.append(Place(by_id[chosen], members))
        return found

    def current(self, turns: Sequence[Turn]) -> list[Turn]:
        """The turns that count, oldest first."""
        return [place.turn for place in self.places(turns)]

    def _groups(self, ids: Sequence[str]) -> dict[str, tuple[tuple[str, ...], str]]:
        """By turn: its group's members in the order of `ids`, and the one that counts."""
        with self._database.session() as session:
            own = select(VersionRow.first).where(VersionRow.turn_id.in_(list(ids)))
            rows = session.scalars(select(VersionRow).where(VersionRow.first.in_(own))).all()
            first = {row.turn_id: row.first for row in rows}
            chosen = {row.first: row.turn_id for row in rows if row.chosen}
        members: dict[str, list[str]] = {}
        for identity in ids:
            if identity in first:
                members.setdefault(first[identity], []).append(identity)
        return {
            identity: (tuple(group), chosen.get(key, group[-1]))
            for key, group in members.items()
            for identity in group
        }

    @staticmethod
    def _choose(session: Session, first: str, turn_id: str) -> None:
        session.execute(
            update(VersionRow)
            .where(VersionRow.first == first)
            .values(chosen=VersionRow.turn_id == turn_id)
        )
