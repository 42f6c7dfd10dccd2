"""Batches of texts to encode, claimed by any number of workers on any machines.

A claim is a lease: the worker extends it while it works (see `worker.py`), and a batch whose lease
ran out, because its worker was killed or its machine is gone, is free again. What a batch encodes
is stored in one transaction, so a killed worker costs its batch and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from indexes.postgres.encodings import KnownEncoder
from indexes.postgres.schema import FOREVER
from indexes.postgres.session import Session
from indexes.postgres.store import PostgresStore

BATCH = 128
"""Texts in a batch: a few seconds of encoding on two cores, and what a kill can cost."""

MOST_ATTEMPTS = 5
"""A batch that so many workers took and none finished is left; it may be what kills them."""

_TAKE = 64  # passages fetched at a time


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that this worker holds."""

    id: int
    encoder: int


@dataclass(frozen=True, slots=True)
class Open:
    """What is left to encode, in batches and texts; `stuck` batches are not taken any more."""

    batches: int
    texts: int
    stuck: int


def enqueue(session: Session, known: KnownEncoder, size: int = BATCH) -> int:
    """Queue every live text that the encoder has not encoded; returns how many wait in all.

    Called by the writer alone. Texts of like length share a batch, which then has little padding.
    """
    with session.transaction():
        session.run("DELETE FROM batches WHERE done IS NOT NULL AND encoder = %s", (known.id,))
        # A text that left meanwhile need not be encoded; a batch that was given up may be tried.
        session.run(
            "DELETE FROM queue q WHERE q.encoder = %s AND NOT EXISTS "
            f"(SELECT FROM passages p WHERE p.key = q.key AND p.until = {FOREVER})",
            (known.id,),
        )
        session.run(
            "UPDATE batches SET attempts = 0 WHERE done IS NULL AND attempts >= %s "
            "AND encoder = %s AND lease < now()",
            (MOST_ATTEMPTS, known.id),
        )
        first = int(session.value("SELECT coalesce(max(id), 0) + 1 FROM batches"))
        session.run(
            "INSERT INTO queue (encoder, key, batch) SELECT %(encoder)s, m.key, "
            "%(first)s + (row_number() OVER (ORDER BY m.characters, m.key) - 1) / %(size)s FROM ("
            '  SELECT p.key, max(p."end" - p.start) AS characters FROM passages p '
            f"  WHERE p.until = {FOREVER} "
            f"  AND NOT EXISTS (SELECT FROM {known.table} e WHERE e.key = p.key) "
            "  AND NOT EXISTS (SELECT FROM queue q "
            "                  WHERE q.encoder = %(encoder)s AND q.key = p.key) GROUP BY p.key) m",
            {"encoder": known.id, "first": first, "size": size},
        )
        session.run(
            "INSERT INTO batches (id, encoder, texts) SELECT batch, encoder, count(*) FROM queue "
            "WHERE batch >= %s GROUP BY batch, encoder",
            (first,),
        )
    session.run("ANALYZE queue")
    return int(session.value("SELECT count(*) FROM queue WHERE encoder = %s", (known.id,)))


def claim(
    session: Session, encoders: Sequence[int], worker: str, lease_seconds: float
) -> Batch | None:
    """Take a batch of one of these encoders; None where none is free."""
    row = session.one(
        "UPDATE batches SET worker = %s, lease = now() + make_interval(secs => %s), "
        "attempts = attempts + 1 WHERE id = (SELECT id FROM batches WHERE done IS NULL "
        "AND encoder = ANY(%s) AND (lease IS NULL OR lease < now()) AND attempts < %s "
        "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, encoder",
        (worker, lease_seconds, list(encoders), MOST_ATTEMPTS),
    )
    return Batch(*row) if row else None


def extend(session: Session, batch: Batch, worker: str, lease_seconds: float) -> None:
    """Keep a claim for another while."""
    session.run(
        "UPDATE batches SET lease = now() + make_interval(secs => %s) "
        "WHERE id = %s AND worker = %s AND done IS NULL",
        (lease_seconds, batch.id, worker),
    )


def release(session: Session, batch: Batch, worker: str) -> None:
    """Give a batch back unfinished, as if it had not been taken."""
    session.run(
        "UPDATE batches SET lease = NULL, attempts = attempts - 1 "
        "WHERE id = %s AND worker = %s AND done IS NULL",
        (batch.id, worker),
    )


def texts_of(session: Session, batch: Batch) -> Iterator[tuple[bytes, str]]:
    """The batch's texts with their keys, in the order of the keys; texts that left are missing."""
    found = session.rows(
        "SELECT DISTINCT ON (q.key) q.key, p.number FROM queue q JOIN passages p ON p.key = q.key "
        f"WHERE q.batch = %s AND p.until = {FOREVER} ORDER BY q.key, p.number",
        (batch.id,),
    )
    store = PostgresStore(session, 0)
    for begin in range(0, len(found), _TAKE):
        part = found[begin : begin + _TAKE]
        passages = store.by_rows([number for _, number in part])
        for (key, _), passage in zip(part, passages, strict=True):
            yield bytes(key), passage.indexed_text


def finish(
    session: Session, batch: Batch, known: KnownEncoder, encoded: Sequence[tuple[bytes, Any]]
) -> None:
    """Store a batch's encodings and close it, as a whole or not at all.

    If another worker was faster after a lease ran out, its encodings stand; they are equal.
    """
    with session.transaction():
        session.many(
            f"INSERT INTO {known.table} (key, encoding) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            encoded,
        )
        session.run("DELETE FROM queue WHERE batch = %s", (batch.id,))
        session.run("UPDATE batches SET done = now(), lease = NULL WHERE id = %s", (batch.id,))


def open_work(session: Session, encoder: int | None = None) -> Open:
    """What is left to encode, by one encoder or by all."""
    row = session.one(
        "SELECT count(*), coalesce(sum(texts), 0), "
        "count(*) FILTER (WHERE attempts >= %s AND lease < now()) "
        "FROM batches WHERE done IS NULL AND (%s::int IS NULL OR encoder = %s)",
        (MOST_ATTEMPTS, encoder, encoder),
    )
    assert row is not None
    return Open(*(int(value) for value in row))
