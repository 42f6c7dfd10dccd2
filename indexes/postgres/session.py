"""One connection to the server, shared by threads, with its errors in the project's words."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from indexes.errors import ModelRuntimeError, StorageError
from indexes.postgres.address import Address

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]
# Iterative scans, which keep a filtered search over a graph from running dry, came with 0.8.
OLDEST_PGVECTOR = (0, 8)

_EXTENSION = (
    "SELECT e.extversion, n.nspname FROM pg_extension e "
    "JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'"
)
_INSTALLING = 7_310_557_218  # the number of an advisory lock; any that nobody else uses


class Session:
    """A connection. Calls from several threads take turns.

    Every call outside `transaction` is a transaction of its own.

    Args:
        schema: PostgreSQL schema whose tables are meant; made by `create`.

    Raises:
        ModelRuntimeError: the extra `postgres` is not installed.
        StorageError: the server cannot be reached, or lacks pgvector.
    """

    def __init__(self, address: Address, schema: str | None = None) -> None:
        self.address = address
        self.schema = schema
        self._psycopg = _library()
        self._lock = threading.RLock()
        with self.errors():
            self._connection = self._psycopg.connect(
                address.text, autocommit=True, application_name="assistant", **address.secrets
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        from pgvector.psycopg import register_vector

        found = self.one(_EXTENSION)
        if found is None:
            found = self._install_pgvector()
        version, place = found
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_PGVECTOR:
            raise StorageError(
                f"the server's pgvector is {version}, 0.8 is the oldest that will do",
                remedy="install pgvector 0.8 there, then: ALTER EXTENSION vector UPDATE",
            )
        path = [self.schema, place] if self.schema else [place]
        # Values, not identifiers: quoted for the setting's own little language.
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in path)
        self.run("SELECT set_config('search_path', %s, false)", (quoted,))
        register_vector(self._connection)

    def _install_pgvector(self) -> Row:
        try:
            with self._connection.transaction():
                # Two processes that do this at once would stumble over each other.
                self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_INSTALLING,))
                self._connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except self._psycopg.Error as error:
            raise StorageError(
                f"the database at {self.address} has no pgvector: {_first_line(error)}",
                remedy="install it on the server (Debian: postgresql-NN-pgvector), then as its "
                "administrator: CREATE EXTENSION vector",
            ) from error
        found = self.one(_EXTENSION)
        assert found is not None
        return found

    @property
    def broken(self) -> bool:
        """Whether the connection is lost; a new session has to be opened then."""
        return bool(self._connection.closed)

    def close(self) -> None:
        self._connection.close()

    # -- statements ---------------------------------------------------------------------------

    def rows(self, statement: str, values: Values = ()) -> list[Row]:
        """All rows of a query."""
        with self._lock, self.errors():
            return list(self._connection.execute(statement, values).fetchall())

    def one(self, statement: str, values: Values = ()) -> Row | None:
        """The first row of a query, None where there is none."""
        with self._lock, self.errors():
            found: Row | None = self._connection.execute(statement, values).fetchone()
            return found

    def value(self, statement: str, values: Values = ()) -> Any:
        """The first column of the first row; None where there is no row."""
        found = self.one(statement, values)
        return found[0] if found else None

    def run(self, statement: str, values: Values = ()) -> int:
        """Execute a statement; returns how many rows it touched."""
        with self._lock, self.errors():
            return int(self._connection.execute(statement, values).rowcount)

    def many(self, statement: str, values: Iterable[Values]) -> None:
        """Execute one statement for each set of values, without a round trip for each."""
        with self._lock, self.errors(), self._connection.cursor() as cursor:
            cursor.executemany(statement, values)

    def script(self, statements: Iterable[str]) -> None:
        """Execute statements one after the other in one transaction."""
        with self.transaction():
            for statement in statements:
                self.run(statement)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What runs inside happens as a whole or not at all; other threads wait."""
        with self._lock, self.errors(), self._connection.transaction():
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other threads off the connection for several statements."""
        with self._lock:
            yield

    # -- errors -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the library's errors into the project's."""
        psycopg = self._psycopg
        try:
            yield
        except psycopg.errors.DiskFull as error:
            raise StorageError(
                f"the server at {self.address} has no space left",
                remedy="free space there and run the same command again: it goes on where it "
                "stopped",
            ) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise StorageError(
                f"{self.address}: {self._told(error)}",
                remedy="ask the server's administrator for the right to create schemas",
            ) from error
        except psycopg.OperationalError as error:
            raise StorageError(
                f"the server at {self.address} cannot be reached: {self._told(error)}",
                remedy="check that it runs; a password is read from PGPASSFILE or PGPASSWORD",
            ) from None  # the chained error would repeat the whole connection string
        except psycopg.Error as error:
            raise StorageError(
                f"the server at {self.address} refused: {self._told(error)}",
                remedy="run `assistant index verify NAME`; the server's log may say more",
            ) from error

    def _told(self, error: Exception) -> str:
        return self.address.scrubbed(_first_line(error))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _library() -> Any:
    try:
        import pgvector.psycopg  # noqa: F401 - both belong to the extra
        import psycopg
    except ImportError as error:
        raise ModelRuntimeError(
            "an index in PostgreSQL needs the extra 'postgres'",
            remedy="pip install 'knowledge-assistant[postgres]'",
        ) from error
    return psycopg
