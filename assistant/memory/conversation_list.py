"""A list of conversations: what it holds, in which order; and the marks a person put on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from assistant.errors import UsageError
from assistant.memory.conversation_tables import AsideRow, ConversationRow, PinRow, TagRow

MAX_TAGS, MAX_TAG_CHARACTERS = 20, 40


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation in a list."""

    id: str
    title: str
    updated: datetime
    pinned: bool = False
    tags: tuple[str, ...] = ()


def checked_tags(tags: Iterable[str]) -> list[str]:
    """The tags as they are kept: one line each, the same one once.

    Raises:
        UsageError: one is too long, or there are too many.
    """
    kept: dict[str, str] = {}
    for tag in tags:
        line = " ".join(tag.split())
        if len(line) > MAX_TAG_CHARACTERS:
            raise UsageError(
                f"the tag has {len(line):,} characters, at most {MAX_TAG_CHARACTERS} are kept",
                remedy="use a word or two",
            )
        if line:
            kept.setdefault(line.casefold(), line)
    if len(kept) > MAX_TAGS:
        raise UsageError(
            f"a conversation has at most {MAX_TAGS} tags, not {len(kept)}", remedy="use fewer"
        )
    return list(kept.values())


def set_aside_ids() -> Select[str]:
    """Of the conversations that are in no list."""
    return select(AsideRow.conversation_id)


def find_conversation(session: Session, conversation_id: str) -> ConversationRow | None:
    """The conversation, unless it was set aside."""
    if session.get(AsideRow, conversation_id) is not None:
        return None
    return session.get(ConversationRow, conversation_id)


def ordered(tag: str = "") -> Select[ConversationRow]:
    """Pinned ones first, then latest first; with `tag` those that have it."""
    query = (
        select(ConversationRow)
        .outerjoin(PinRow, PinRow.conversation_id == ConversationRow.id)
        .where(ConversationRow.id.not_in(set_aside_ids()))
        .order_by(PinRow.conversation_id.is_(None), ConversationRow.updated.desc())
    )
    if tag:
        tagged = select(TagRow.conversation_id).where(TagRow.tag == tag)
        query = query.where(ConversationRow.id.in_(tagged))
    return query


def listed(session: Session, query: Select[ConversationRow]) -> list[Conversation]:
    """What the query finds, with pins and tags."""
    pinned = set(session.scalars(select(PinRow.conversation_id)))
    tags: dict[str, list[str]] = {}
    for identity, tag in session.execute(
        select(TagRow.conversation_id, TagRow.tag).order_by(TagRow.tag)
    ):
        tags.setdefault(identity, []).append(tag)
    return [
        Conversation(c.id, c.title, c.updated, c.id in pinned, tuple(tags.get(c.id, ())))
        for c in session.scalars(query)
    ]


def replace_pin(session: Session, conversation_id: str, *, pinned: bool) -> None:
    """Pin it, or no longer."""
    session.execute(delete(PinRow).where(PinRow.conversation_id == conversation_id))
    if pinned:
        session.add(PinRow(conversation_id=conversation_id))


def replace_tags(session: Session, conversation_id: str, tags: Iterable[str]) -> None:
    """Give it these tags and no others."""
    session.execute(delete(TagRow).where(TagRow.conversation_id == conversation_id))
    session.add_all(TagRow(conversation_id=conversation_id, tag=tag) for tag in tags)


def tags_in_use(session: Session) -> list[str]:
    """Every tag, in order."""
    query = select(TagRow.tag).where(TagRow.conversation_id.not_in(set_aside_ids())).distinct()
    return sorted(session.scalars(query), key=str.casefold)
