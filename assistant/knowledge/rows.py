"""Entries and tokens as rows of the store's file, and back."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Sequence

from assistant.knowledge.entries import KnowledgeEntry, TokenProbabilities

SELECT_ENTRIES = (
    "SELECT e.id, e.kind, e.question, e.answer, e.text, p.id, p.document_id, e.passage, e.teacher, "
    "e.style, e.likelihood, e.grounding, e.novelty, e.score, e.tier, e.created "
    "FROM entries e JOIN passages p ON p.key = e.passage"
)


def insert(db: sqlite3.Connection, entry: KnowledgeEntry) -> None:
    """Keep an entry; one with its id stays as it is."""
    db.execute(
        "INSERT OR IGNORE INTO entries (id, kind, question, answer, text, passage, teacher, style, "
        "likelihood, grounding, novelty, score, tier, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(entry.id, entry.kind, entry.question, entry.answer, entry.text, entry.passage_key),
            *(entry.teacher, entry.style, entry.likelihood, entry.grounding, entry.novelty),
            *(entry.score, entry.tier, entry.created),
        ),
    )


def entry_of(row: Sequence[object]) -> KnowledgeEntry:
    """The entry of a row of `SELECT_ENTRIES`."""
    values = list(row)
    values[7] = bytes(values[7])  # type: ignore[call-overload]
    return KnowledgeEntry(*values)  # type: ignore[arg-type]


def packed(tokens: Sequence[TokenProbabilities]) -> bytes:
    """Tokens with their probabilities as JSON, compressed."""
    values = [[t.token, t.logprob, t.tail, [list(pair) for pair in t.top]] for t in tokens]
    return zlib.compress(json.dumps(values, ensure_ascii=False).encode())


def unpacked(data: bytes) -> list[TokenProbabilities]:
    """What `packed` packed."""
    return [
        TokenProbabilities(token, logprob, tuple((t, p) for t, p in top), tail)
        for token, logprob, tail, top in json.loads(zlib.decompress(data))
    ]
