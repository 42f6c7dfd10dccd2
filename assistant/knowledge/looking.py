"""Looking through a store: one page of the entries that are as asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.knowledge.entries import Kind, KnowledgeEntry, Tier
from assistant.knowledge.rows import SELECT_ENTRIES, entry_of
from assistant.knowledge.schema import reading


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of a tier, a kind, a teacher, with words in them; empty asks for nothing.

    `words` has to stand in the entry as it is; case does not matter in ASCII.
    """

    tier: Tier | None = None
    kind: Kind | None = None
    teacher: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class EntriesPage:
    """Some entries, in the order they were written, and how many there are in all."""

    entries: tuple[KnowledgeEntry, ...]
    total: int


def look(path: Path, wanted: Wanted, *, offset: int = 0, limit: int = 50) -> EntriesPage:
    """A page of the entries in the store's file.

    Raises:
        UsageError: there is no store.
        IndexFormatError, StorageError, IndexCorruptError: as `assistant.knowledge.schema.reading`.
    """
    conditions: list[str] = []
    values: list[Any] = []
    for column, value in (("tier", wanted.tier), ("kind", wanted.kind)):
        if value is not None:
            conditions.append(f"e.{column} = ?")
            values.append(value)
    if wanted.teacher:
        conditions.append("e.teacher = ?")
        values.append(wanted.teacher)
    if words := wanted.words.strip():
        escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        # Line breaks cannot be between them: texts of entries are on one line.
        conditions.append("e.question || ' ' || e.answer || ' ' || e.text LIKE ? ESCAPE '\\'")
        values.append(f"%{' '.join(escaped.split())}%")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    with reading(path) as db:
        (total,) = db.execute(
            f"SELECT count(*) FROM entries e JOIN passages p ON p.key = e.passage{where}", values
        ).fetchone()
        rows = db.execute(
            f"{SELECT_ENTRIES}{where} ORDER BY e.row LIMIT ? OFFSET ?", [*values, limit, offset]
        ).fetchall()
    return EntriesPage(tuple(entry_of(row) for row in rows), int(total))
