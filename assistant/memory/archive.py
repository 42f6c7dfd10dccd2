"""Conversations as one JSON file, out and in again: turns with all their events, pins, tags.

Reading a file in never changes a conversation that is there. The same conversation is left alone;
another one under the same id gets a new id, and so do its turns.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.errors import UsageError
from assistant.events import Event, TurnStarted, from_json, to_json
from assistant.memory.conversation_list import checked_tags, replace_pin, replace_tags
from assistant.memory.conversation_search import remember_words
from assistant.memory.conversation_tables import (
    ConversationRow,
    PinRow,
    TagRow,
    TurnRow,
    VersionRow,
)
from assistant.memory.conversations import Conversations, shorten

FORMAT, VERSION = "knowledge-assistant conversations", 1
_GOOD_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class _StoredTurn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    question: str
    answer: str = ""
    state: Literal["done", "stopped", "failed", "unfinished"] = "unfinished"
    created: datetime
    events: list[dict[str, Any]] = []
    # Of a turn that has other versions: the id of the first one, and whether this one counts.
    version_of: str = ""
    counts: bool = True


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    title: str
    created: datetime
    updated: datetime
    pinned: bool = False
    tags: list[str] = []
    turns: list[_StoredTurn] = []


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["knowledge-assistant conversations"]
    version: int = Field(ge=1)
    conversations: list[_Stored]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: ids of new conversations, and how many were there already."""

    added: tuple[str, ...]
    known: int


def archived(conversations: Conversations, ids: Iterable[str] | None = None) -> str:
    """The conversations of these ids, or all, as the text of a file.

    Raises:
        UnknownNameError: one does not exist.
    """
    wanted = [item.id for item in conversations.list(-1)] if ids is None else list(ids)
    for identity in wanted:
        conversations.get(identity)
    with conversations.database.session() as session:
        stored = [_stored(session, session.get_one(ConversationRow, i)) for i in wanted]
        file = {
            "format": FORMAT,
            "version": VERSION,
            "conversations": [item.model_dump(mode="json") for item in stored],
        }
    return json.dumps(file, ensure_ascii=False, indent=1) + "\n"


def import_archive(conversations: Conversations, text: str | bytes) -> Imported:
    """Read in what `archived` wrote: all of it or, where something is wrong, nothing.

    Raises:
        UsageError: it is no such file, or is damaged.
    """
    read = _read(text)
    added, known = [], 0
    with conversations.database.session() as session:
        for item, events in read:
            there = session.get(ConversationRow, item.id)
            if there is not None and _same(_stored(session, there), item):
                known += 1
            else:
                added.append(_add(session, item, events))
    return Imported(tuple(added), known)


def _stored(session: Session, row: ConversationRow) -> _Stored:
    turns = session.scalars(
        select(TurnRow)
        .where(TurnRow.conversation_id == row.id)
        .order_by(TurnRow.created, TurnRow.id)
    )
    versions = {
        version.turn_id: version
        for version in session.scalars(
            select(VersionRow)
            .join(TurnRow, TurnRow.id == VersionRow.turn_id)
            .where(TurnRow.conversation_id == row.id)
        )
    }
    tags = session.scalars(
        select(TagRow.tag).where(TagRow.conversation_id == row.id).order_by(TagRow.tag)
    )
    return _Stored(
        id=row.id,
        title=row.title,
        created=_utc(row.created),
        updated=_utc(row.updated),
        pinned=session.get(PinRow, row.id) is not None,
        tags=list(tags),
        turns=[
            _StoredTurn(
                id=turn.id,
                question=turn.question,
                answer=turn.answer,
                state=turn.state,  # type: ignore[arg-type]  # checked by pydantic
                created=_utc(turn.created),
                events=[json.loads(line) for line in turn.events.split("\n") if line],
                version_of=versions[turn.id].first if turn.id in versions else "",
                counts=turn.id not in versions or versions[turn.id].chosen,
            )
            for turn in turns
        ],
    )


def _same(one: _Stored, other: _Stored) -> bool:
    """Whether both went the same way; title, pin, tags and which version counts may have been
    changed since."""

    def turns(item: _Stored) -> list[_StoredTurn]:
        return [turn.model_copy(update={"version_of": "", "counts": True}) for turn in item.turns]

    return turns(one) == turns(other) and one.created == other.created


def _read(text: str | bytes) -> list[tuple[_Stored, list[list[Event]]]]:
    try:
        values = json.loads(text)
        json.dumps(values, ensure_ascii=False).encode()  # half a character cannot be stored
        file = _File.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _wrong(f"{place or 'the whole'}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:  # a wrong encoding is a ValueError, too
        raise _wrong("it is not JSON in UTF-8") from error
    if file.version > VERSION:
        raise UsageError(
            f"the file is of version {file.version}, this program reads up to {VERSION}",
            remedy="update the program",
        )
    return [(_checked(item), _events(item)) for item in file.conversations]


def _checked(item: _Stored) -> _Stored:
    """Titles and tags as they are kept."""
    tags = checked_tags(item.tags)
    return item.model_copy(update={"title": shorten(item.title), "tags": sorted(tags)})


def _events(item: _Stored) -> list[list[Event]]:
    try:
        return [[from_json(json.dumps(e)) for e in turn.events] for turn in item.turns]
    except (UsageError, RecursionError) as error:
        raise _wrong(f"“{item.title[:60]}” has an event that cannot be read") from error


def _wrong(why: str) -> UsageError:
    return UsageError(
        f"this is no file of conversations: {why}",
        remedy="choose a file that was exported here; nothing was changed",
    )


def _add(session: Session, item: _Stored, events: Sequence[Sequence[Event]]) -> str:
    identity = _free(session, ConversationRow, item.id)
    session.add(
        ConversationRow(
            id=identity,
            title=item.title,
            created=item.created.astimezone(UTC),
            updated=item.updated.astimezone(UTC),
        )
    )
    session.flush()
    ids = {turn.id: _free(session, TurnRow, turn.id) for turn in item.turns}
    for turn, told in zip(item.turns, events, strict=True):
        turn_id = ids[turn.id]
        lines = [to_json(_moved(event, turn_id, identity, ids)) for event in told]
        session.add(
            TurnRow(
                id=turn_id,
                conversation_id=identity,
                question=turn.question,
                answer=turn.answer,
                state=turn.state,
                events="\n".join(lines),
                created=turn.created.astimezone(UTC),
            )
        )
        session.flush()
        remember_words(session, turn_id, identity, f"{turn.question}\n{turn.answer}")
        if turn.version_of in ids:
            first = ids[turn.version_of]
            session.add(VersionRow(turn_id=turn_id, first=first, chosen=turn.counts))
    replace_pin(session, identity, pinned=item.pinned)
    replace_tags(session, identity, item.tags)
    return identity


def _free(session: Session, table: type[ConversationRow | TurnRow], wanted: str) -> str:
    if _GOOD_ID.fullmatch(wanted) and session.get(table, wanted) is None:
        return wanted
    return uuid.uuid4().hex


def _moved(event: Event, turn_id: str, conversation_id: str, ids: Mapping[str, str]) -> Event:
    if isinstance(event, TurnStarted):
        return replace(
            event,
            turn_id=turn_id,
            conversation_id=conversation_id,
            version_of=ids.get(event.version_of, event.version_of),
        )
    return event


def _utc(moment: datetime) -> datetime:
    """SQLite gives times back without their zone, which is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
