"""Which generation is published, what it is made of, and who still reads an older one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from indexes.documents import ReadFailure
from indexes.errors import IndexLockedError
from indexes.manifest import Manifest, Stage
from indexes.postgres import schema
from indexes.postgres.encodings import known_encoders
from indexes.postgres.session import Session
from indexes.postgres.store import visible
from indexes.postgres.words import FINGERPRINT

_WRITER = 0  # generations count from 1, so this number is free for the writer's lock


def current(session: Session) -> int:
    """The number of the published generation, 0 before the first."""
    return int(session.value("SELECT current FROM meta"))


def describe(session: Session, number: int) -> None:
    """Note what a staged generation holds and in how many of its passages each lexeme stands."""
    where = visible("p", number)
    session.run(
        "INSERT INTO generations (number, documents, passages, configs, sources, excluded, "
        "failures, chunker) SELECT %s, "
        f"(SELECT count(*) FROM documents p WHERE {where}), count(*), "
        "coalesce(array_agg(DISTINCT l.config), '{}'), '[]', '[]', '[]', '' "
        f"FROM passages p JOIN lexical l ON l.passage = p.number WHERE {where} "
        "ON CONFLICT (number) DO UPDATE SET documents = EXCLUDED.documents, "
        "passages = EXCLUDED.passages, configs = EXCLUDED.configs, updated = now()",
        (number,),
    )
    words = "SELECT l.words FROM lexical l JOIN passages p ON p.number = l.passage WHERE"
    session.run("DELETE FROM frequencies WHERE since = %s", (number,))
    session.run(
        "INSERT INTO frequencies (lexeme, since, change) SELECT word, %s, sum(change) FROM ("
        "SELECT word, ndoc AS change FROM ts_stat(%s) UNION ALL "
        "SELECT word, -ndoc FROM ts_stat(%s)) both_ways GROUP BY word HAVING sum(change) <> 0",
        (
            number,
            f"{words} p.since = {number:d} AND p.until > {number:d}",
            f"{words} p.since < {number:d} AND p.until = {number:d}",
        ),
    )


def note_origin(
    session: Session,
    number: int,
    *,
    sources: list[str],
    excluded: list[str],
    failures: list[ReadFailure],
    chunker: str,
) -> None:
    """Note what a generation was made from."""
    session.run(
        "UPDATE generations SET sources = %s, excluded = %s, failures = %s, chunker = %s "
        "WHERE number = %s",
        (
            json.dumps(sources),
            json.dumps(excluded),
            json.dumps([asdict(failure) for failure in failures]),
            chunker,
            number,
        ),
    )


def note_encoder(session: Session, number: int, stage: str, encoder: int | None) -> None:
    """Note that a stage of a generation is complete: from here on it is searched."""
    column = {"dense": "dense", "sparse": "sparse"}[stage]
    session.run(
        f"UPDATE generations SET {column} = %s, updated = now() WHERE number = %s",
        (encoder, number),
    )


def publish(session: Session, number: int) -> None:
    """From here on readers open this generation."""
    session.run("UPDATE meta SET current = %s", (number,))


def manifest_of(session: Session, number: int) -> Manifest | None:
    """What a generation is made of; None where it is gone."""
    row = session.one(
        "SELECT m.name, g.documents, g.passages, g.dense, g.sparse, g.sources, g.excluded, "
        "g.failures, g.chunker, m.created, g.updated "
        "FROM generations g, meta m WHERE g.number = %s",
        (number,),
    )
    if row is None:
        return None
    name, documents, passages, dense, sparse, sources, excluded, failures, chunker, *times = row
    encoders = {known.id: known for known in known_encoders(session)}
    stages = {"lexical": Stage(FINGERPRINT)}
    for encoder in (dense, sparse):
        if encoder in encoders:
            stages[encoders[encoder].stage] = Stage(encoders[encoder].fingerprint)
    created, updated = (moment.isoformat(timespec="seconds") for moment in times)
    return Manifest(
        name=name,
        generation=f"g{number:06d}",
        sources=list(sources),
        documents=documents,
        passages=passages,
        chunker=chunker,
        store_checksum="",
        excluded=list(excluded),
        failures=[ReadFailure(**failure) for failure in failures],
        stages=stages,
        created=created,
        updated=updated,
    )


@contextmanager
def writer_lock(session: Session, name: str) -> Iterator[None]:
    """Be the one writer; the lock of a dead writer falls with its connection.

    Raises:
        IndexLockedError: another process is writing the index.
    """
    key = schema.lock_key(session.schema or "")
    if not session.value("SELECT pg_try_advisory_lock(%s, %s)", (key, _WRITER)):
        raise IndexLockedError(
            f"index '{name}' is being written by another process",
            remedy="wait until it is done: assistant index status; help it: assistant index work",
        )
    try:
        yield
    finally:
        if not session.broken:
            session.value("SELECT pg_advisory_unlock(%s, %s)", (key, _WRITER))


def hold(session: Session) -> int:
    """Open the published generation: it stays until this session ends. 0 where there is none."""
    key = schema.lock_key(session.schema or "")
    while number := current(session):
        session.value("SELECT pg_advisory_lock_shared(%s, %s)", (key, number))
        # A cleaner that was faster has removed the generation together with its description.
        if session.value("SELECT true FROM generations WHERE number = %s", (number,)):
            return number
        session.value("SELECT pg_advisory_unlock_shared(%s, %s)", (key, number))
    return 0


def forget_old(session: Session) -> int:
    """Forget generations before the published one that no reader holds.

    Returns:
        The oldest generation that is still needed.
    """
    key, published = schema.lock_key(session.schema or ""), current(session)
    needed = published
    for (number,) in session.rows(
        "SELECT number FROM generations WHERE number < %s ORDER BY number DESC", (published,)
    ):
        if not session.value("SELECT pg_try_advisory_lock(%s, %s)", (key, number)):
            needed = number
            continue
        try:
            session.run("DELETE FROM generations WHERE number = %s", (number,))
        finally:
            session.value("SELECT pg_advisory_unlock(%s, %s)", (key, number))
    return needed
