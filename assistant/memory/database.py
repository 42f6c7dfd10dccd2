"""One SQLite file of the home folder, through SQLAlchemy: sessions, and errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.schema import CreateIndex

from assistant.errors import StorageError


class Database:
    """A file with the tables of `base`, made where it is not there yet.

    Safe to share between threads and processes.

    Args:
        what: what is in it, for messages ("conversations").
        pragmas: set on every connection.
        lock_first: transactions lock before they read, so that what was read still holds when
            they write.

    Raises:
        StorageError: the file cannot be read or written, or is damaged; so do all methods.
    """

    def __init__(
        self,
        path: Path,
        base: type[DeclarativeBase],
        what: str,
        *,
        pragmas: Sequence[str],
        lock_first: bool = False,
    ) -> None:
        self._path, self._what = path, what
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

        def configure(connection: Any, _record: object) -> None:
            if lock_first:
                connection.isolation_level = None  # `_lock` begins the transactions
            cursor = connection.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        event.listen(self._engine, "connect", configure)
        if lock_first:
            event.listen(self._engine, "begin", _lock)
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            base.metadata.create_all(self._engine)
            # Tables of an earlier version get the indexes that came later, too.
            with self._engine.begin() as connection:
                for table in base.metadata.tables.values():
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session in one transaction."""
        with self._errors(), Session(self._engine) as session, session.begin():
            yield session

    def rewrite(self) -> None:
        """Write the file anew: pages that were merged may keep copies of deleted text."""
        with self._errors():
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("VACUUM")
                # The log still has the old pages. Where others read, it goes with the next change.
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, sqlite3.OperationalError) as error:
            raise StorageError(
                f"the {self._what} in {self._path} cannot be read or written: "
                f"{getattr(error, 'orig', error)}",
                remedy="check free space and the owner of the file",
            ) from error
        except DatabaseError as error:
            raise StorageError(
                f"the {self._what} file {self._path} is damaged: {error.orig}",
                remedy="move it away; a new one is made at the next start",
            ) from error


def _lock(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
