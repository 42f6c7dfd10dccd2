"""The file of an index's graph: tables, connections, and the notes about its state.

Two layers lie in it. The *derived* one follows from the documents and the extractor alone; it is
brought up to date by `assistant.thoughts.persistent.sync`. The *person's* is a log of changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from assistant.errors import GraphError, IndexFormatError
from indexes.files import storage_errors

GRAPH_FILE = "graph.sqlite"
FORMAT = "1"

# `row`s are this file's own numbers; ids are those of the index and the graph. `stamp` tells a
# passage that may have changed from one that has not without reading its text; `key` tells surely.
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE extractions (
    extractor TEXT NOT NULL, key BLOB NOT NULL, data BLOB NOT NULL, UNIQUE (key, extractor)
);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    key BLOB NOT NULL, extractor TEXT NOT NULL, stamp TEXT NOT NULL
);
CREATE INDEX passages_by_key ON passages (key);
CREATE TABLE entities (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, label TEXT NOT NULL, type TEXT NOT NULL
);
CREATE TABLE words (
    word TEXT, entity INTEGER, PRIMARY KEY (word, entity)
) WITHOUT ROWID;
CREATE TABLE surfaces (
    passage INTEGER NOT NULL, entity INTEGER NOT NULL, label TEXT NOT NULL, type TEXT NOT NULL,
    count INTEGER NOT NULL
);
CREATE INDEX surfaces_of_passage ON surfaces (passage);
CREATE INDEX surfaces_of_entity ON surfaces (entity);
CREATE TABLE mentions (
    passage INTEGER, entity INTEGER, about INTEGER NOT NULL, PRIMARY KEY (passage, entity)
) WITHOUT ROWID;
CREATE INDEX mentions_of_entity ON mentions (entity);
CREATE TABLE sentences (
    passage INTEGER, start INTEGER, "end" INTEGER, quote TEXT NOT NULL,
    PRIMARY KEY (passage, start, "end")
) WITHOUT ROWID;
CREATE TABLE facts (
    passage INTEGER, id TEXT, subject INTEGER NOT NULL, relation TEXT NOT NULL,
    object INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    confidence REAL NOT NULL, negated INTEGER NOT NULL, hedged INTEGER NOT NULL,
    valid_from TEXT NOT NULL, valid_to TEXT NOT NULL, PRIMARY KEY (passage, id)
) WITHOUT ROWID;
CREATE INDEX facts_by_id ON facts (id);
CREATE INDEX facts_of_subject ON facts (subject);
CREATE INDEX facts_of_object ON facts (object);
CREATE TABLE log (
    number INTEGER PRIMARY KEY, in_force INTEGER NOT NULL, batch TEXT NOT NULL
);
"""


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that may write; the file is made where it is missing.

    Transactions are the caller's (`with connection:`). What is deleted is overwritten, since
    documents can be private; at the end nothing of it is left in the write-ahead log either.

    Raises:
        IndexFormatError: the file was written by another version.
        StorageError, IndexCorruptError: see `indexes.files.storage_errors`.
    """
    with storage_errors(path), closing(_connect(path, "rwc")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            notes = "INSERT INTO meta VALUES ('format', '{}'), ('revision', '0');"
            db.executescript(f"BEGIN; {_SCHEMA} {notes.format(FORMAT)} COMMIT;")
        _check(db, path)
        try:
            yield db
        finally:
            db.rollback()
            # Readers that are at work keep it from ending; the next writer's does it then.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees one state of the file, whoever writes meanwhile.

    Raises:
        GraphError: there is no file.
        IndexFormatError: it was written by another version.
        StorageError, IndexCorruptError: see `indexes.files.storage_errors`.
    """
    if not path.is_file():
        raise GraphError(
            f"the index '{path.parent.name}' has no graph",
            remedy=f"make it: assistant index update {path.parent.name} --extract rules",
        )
    with storage_errors(path), closing(_connect(path, "rw")) as db:
        db.execute("PRAGMA query_only = ON")
        db.execute("BEGIN")
        _check(db, path)
        yield db


def note(db: sqlite3.Connection, key: str) -> str:
    """A note about the file's state; "" where there is none."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else ""


def set_note(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def revise(db: sqlite3.Connection) -> None:
    """Say, within a transaction, that what was read before is out of date."""
    set_note(db, "revision", str(int(note(db, "revision") or 0) + 1))


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=30)


def _check(db: sqlite3.Connection, path: Path) -> None:
    found = note(db, "format")
    if found != FORMAT:
        raise IndexFormatError(
            f"the graph of the index '{path.parent.name}' has format {found}, "
            f"this version reads {FORMAT}",
            remedy=f"delete {path} and run: assistant index update {path.parent.name}",
        )
