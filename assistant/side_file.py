"""A SQLite file that lies beside an index and belongs to it: its graph, its knowledge store.

One process writes, others read one state of it meanwhile. What is deleted is overwritten, since
documents can be private; after writing, nothing of it is left in the write-ahead log either.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import IndexFormatError, KnowledgeAssistantError
from indexes.files import storage_errors

_META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"


@dataclass(frozen=True, slots=True)
class SideFile:
    """One kind of such files.

    Attributes:
        what: for messages, "graph".
        format: refused where the file says another.
        schema: SQL of its tables; `meta`, where the notes are, is added.
        missing: the error that says that an index of that name has none.
        remake: the command that makes it for an index of that name.
        first_notes: kept in a new file, beside its format.
    """

    what: str
    format: str
    schema: str
    missing: Callable[[str], KnowledgeAssistantError]
    remake: Callable[[str], str]
    first_notes: Callable[[], Mapping[str, str]] = dict

    @contextmanager
    def writing(self, path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection that may write; transactions are the caller's (`with connection:`).

        Args:
            create: make the file where it is missing.

        Raises:
            KnowledgeAssistantError: `missing`; there is no file and none is to be made.
            IndexFormatError: it was written by another version.
            StorageError, IndexCorruptError: see `indexes.files.storage_errors`.
        """
        if not create:
            self._must_be_there(path)
        with storage_errors(path), closing(_connect(path, "rwc")) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
            if not _has_notes(db):
                self._make(db)
            self._check(db, path)
            try:
                yield db
            finally:
                db.rollback()
                # Readers that are at work keep it from ending; the next writer's does it then.
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def reading(self, path: Path) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the file, whoever writes meanwhile.

        Raises:
            KnowledgeAssistantError: `missing`; there is no file, or nothing in it yet.
            IndexFormatError, StorageError, IndexCorruptError: as `writing`.
        """
        self._must_be_there(path)
        with storage_errors(path), closing(_connect(path, "rw")) as db:
            db.execute("PRAGMA query_only = ON")
            db.execute("BEGIN")
            if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                # Another process is just making it, or was killed while it did.
                raise self.missing(path.parent.name)
            self._check(db, path)
            yield db

    def _make(self, db: sqlite3.Connection) -> None:
        db.executescript(f"BEGIN; {_META} {self.schema}")
        set_note(db, "format", self.format)
        for key, value in self.first_notes().items():
            set_note(db, key, value)
        db.commit()

    def _must_be_there(self, path: Path) -> None:
        if not path.is_file():
            raise self.missing(path.parent.name)

    def _check(self, db: sqlite3.Connection, path: Path) -> None:
        found = note(db, "format") if _has_notes(db) else ""
        if found != self.format:
            name = path.parent.name
            raise IndexFormatError(
                f"the {self.what} of the index '{name}' has format {found or 'unknown'}, "
                f"this version reads {self.format}",
                remedy=f"delete {path} and run: {self.remake(name)}",
            )


def note(db: sqlite3.Connection, key: str) -> str:
    """A note about the file's state; "" where there is none."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else ""


def set_note(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a note, within the caller's transaction."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _has_notes(db: sqlite3.Connection) -> bool:
    found = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    return found is not None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=30)
