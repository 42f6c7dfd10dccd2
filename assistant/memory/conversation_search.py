"""Searching what was asked and answered: every word typed has to occur, in any spelling of case
and accents, anywhere in a title, or in a question with its answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, literal, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from assistant.memory.conversation_tables import ConversationRow, SearchedRow, TurnRow

_BACKFILL = 500  # turns that are folded at once
_MOST_WORDS = 12
_BEFORE, _AROUND = 40, 160  # characters of a snippet before its first match, and in all


@dataclass(frozen=True, slots=True)
class Snippet:
    """A stretch of text with the places of what was looked for, as offsets in it."""

    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TurnFound:
    """A turn in which all words occur; `turn_id` is empty where the title has them."""

    conversation_id: str
    turn_id: str
    question: str
    answer: str


def folded(text: str) -> str:
    """The text without case and accents, on one line."""
    return "".join(_letters(" ".join(text.split())))


def words_of(text: str) -> list[str]:
    """What is looked for, folded; the same word once."""
    return list(dict.fromkeys(folded(text).split()))[:_MOST_WORDS]


def snippet(text: str, words: Sequence[str]) -> Snippet:
    """The stretch around the first of the words, with all of them marked.

    Args:
        words: folded.
    """
    line = " ".join(text.split())
    letters = _letters(line)
    # The offset in the line of each folded character: one letter may fold into two, or none.
    origin = [place for place, letter in enumerate(letters) for _ in letter]
    plain = "".join(letters)
    spans: list[tuple[int, int]] = []
    for word in words:
        at = plain.find(word)
        while word and at >= 0:
            spans.append((origin[at], origin[at + len(word) - 1] + 1))
            at = plain.find(word, at + len(word))
    first = min((start for start, _ in spans), default=0)
    begin = max(0, first - _BEFORE)
    if begin:
        space = line.find(" ", begin, first)
        begin = space + 1 if space >= 0 else begin
    end = min(len(line), begin + _AROUND)
    before, after = ("…" if begin else ""), ("…" if end < len(line) else "")
    shift = len(before) - begin
    kept = sorted((s + shift, min(e, end) + shift) for s, e in spans if begin <= s < end)
    return Snippet(f"{before}{line[begin:end]}{after}", tuple(kept))


def remember_words(session: Session, turn_id: str, conversation_id: str, text: str) -> None:
    """Make a turn findable by `text`, instead of by what it was findable before.

    In one statement, as another process may do the same, or delete the turn meanwhile.
    """
    there = exists().where(TurnRow.id == turn_id)
    row = select(literal(turn_id), literal(conversation_id), literal(folded(text))).where(there)
    new = insert(SearchedRow).from_select(["turn_id", "conversation_id", "folded"], row)
    session.execute(new.on_conflict_do_update(["turn_id"], set_={"folded": new.excluded.folded}))


def fill_in(session: Session) -> None:
    """Make turns findable that an earlier version wrote."""
    known = select(SearchedRow.turn_id)
    query = (
        select(TurnRow.id, TurnRow.conversation_id, TurnRow.question, TurnRow.answer)
        .where(TurnRow.id.not_in(known))
        .limit(_BACKFILL)
    )
    while rows := session.execute(query).all():
        for turn_id, conversation_id, question, answer in rows:
            remember_words(session, turn_id, conversation_id, f"{question}\n{answer}")


def find_turns(
    session: Session, words: Sequence[str], conversations: Sequence[str], limit: int
) -> list[TurnFound]:
    """The latest turn of each conversation that has all words, else its title that has them.

    Args:
        words: folded.
        conversations: ids of those that are looked through, in the order of the result.
        limit: how many are given.
    """
    matches = [func.instr(SearchedRow.folded, word) > 0 for word in words]
    hits = dict(
        session.execute(
            select(SearchedRow.conversation_id, func.max(TurnRow.created))
            .join(TurnRow, TurnRow.id == SearchedRow.turn_id)
            .where(*matches)
            .group_by(SearchedRow.conversation_id)
        ).all()
    )
    titles = session.execute(select(ConversationRow.id, ConversationRow.title)).all()
    titled = {identity for identity, title in titles if _has(folded(title), words)}
    found: list[TurnFound] = []
    for identity in conversations:
        if len(found) >= limit:
            break
        if identity in hits:
            turn = session.execute(
                select(TurnRow.id, TurnRow.question, TurnRow.answer)
                .join(SearchedRow, SearchedRow.turn_id == TurnRow.id)
                .where(
                    TurnRow.conversation_id == identity, TurnRow.created == hits[identity], *matches
                )
                .limit(1)
            ).one()
            found.append(TurnFound(identity, *turn))
        elif identity in titled:
            found.append(TurnFound(identity, "", "", ""))
    return found


def _has(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _letters(line: str) -> list[str]:
    """Each character as it is compared."""
    return [
        "".join(
            c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c)
        ).casefold()
        for letter in line
    ]
