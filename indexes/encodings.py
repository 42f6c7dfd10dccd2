"""Encodings that were computed once, by encoder and text, so that nothing is encoded twice.

Rebuilding after an edit, or going on after a kill, asks here first. Written in small
transactions: what was encoded before a kill is there afterwards. A key is the encoder's
fingerprint with the SHA-256 of the exact text that was encoded.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
import scipy.sparse as sp

from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.files import storage_errors

# Keys per statement: well below the number of parameters that SQLite takes.
_CHUNK = 256


class EncodingCache:
    """A table (encoder, text) → bytes, in SQLite."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path):
            self._db = sqlite3.connect(path, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            # What is deleted must not stay readable in the file: documents can be private.
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA temp_store = MEMORY")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS encodings (encoder TEXT, text BLOB, data BLOB, "
                "checksum INTEGER, PRIMARY KEY (encoder, text)) WITHOUT ROWID"
            )
            columns = {row[1] for row in self._db.execute("PRAGMA table_info(encodings)")}
            if "checksum" not in columns:  # of an earlier version: unknown for what is there
                self._db.execute("ALTER TABLE encodings ADD COLUMN checksum INTEGER")

    def close(self) -> None:
        self._db.close()

    def missing(self, encoder: str, keys: Sequence[bytes]) -> set[bytes]:
        """Those of `keys` that have not been encoded by `encoder`."""
        wanted = sorted(set(keys))  # in the order of the table: neighbours lie on one page
        with storage_errors(self.path):
            present = (
                row[0]
                for chunk in _chunks(wanted)
                for row in _select(self._db, "text", encoder, chunk)
            )
            return set(wanted).difference(present)

    def put(self, encoder: str, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Store encodings; they are on the disk when this returns."""
        with storage_errors(self.path), self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO encodings (encoder, text, data, checksum) "
                "VALUES (?, ?, ?, ?)",
                ((encoder, key, data, crc32(data)) for key, data in items),
            )

    def get(self, encoder: str, key: bytes) -> bytes:
        """One encoding.

        Raises:
            KeyError: it was never stored.
            IndexCorruptError: it is not what was stored; it has been forgotten now.
        """
        return next(self.results(encoder, [key]))

    def results(self, encoder: str, keys: Iterable[bytes]) -> Iterator[bytes]:
        """The encodings of `keys`, in their order; read a few hundred at a time.

        Raises:
            KeyError: one was never stored.
            IndexCorruptError: one is not what was stored; it has been forgotten now.
        """
        for chunk in _chunks(keys):
            with storage_errors(self.path):
                found = {
                    bytes(key): (data, checksum)
                    for key, data, checksum in _select(
                        self._db, "text, data, checksum", encoder, chunk
                    )
                }
            for key in chunk:
                if key not in found:
                    raise KeyError(key.hex())
                yield self._checked(encoder, key, *found[key])

    def _checked(self, encoder: str, key: bytes, data: object, checksum: int | None) -> bytes:
        if isinstance(data, bytes) and (checksum is None or crc32(data) == checksum):
            return data
        with storage_errors(self.path), self._db:
            self._db.execute("DELETE FROM encodings WHERE encoder = ? AND text = ?", (encoder, key))
        raise IndexCorruptError(
            f"an encoding in {self.path} is damaged",
            remedy="run the same command again: that text is encoded anew",
        )

    def check(self) -> int:
        """Read every encoding and compare it with its checksum; returns how many there are.

        Raises:
            IndexCorruptError: the database or an encoding is damaged.
        """
        with storage_errors(self.path):
            (state,) = self._db.execute("PRAGMA integrity_check(1)").fetchone()
            count = damaged = 0
            for data, checksum in self._db.execute("SELECT data, checksum FROM encodings"):
                count += 1
                damaged += checksum is not None and crc32(data) != checksum
        if state != "ok" or damaged:
            raise IndexCorruptError(
                f"{damaged} of {count} encodings are damaged" if damaged else str(state)
            )
        return count

    def keep_only(self, encoders: set[str] | None, keys: set[bytes]) -> int:
        """Forget every encoding of other texts or other encoders; returns how many.

        Args:
            encoders: None keeps those of every encoder.
        """
        with storage_errors(self.path):
            self._db.execute("CREATE TEMP TABLE wanted (text BLOB PRIMARY KEY) WITHOUT ROWID")
            try:
                with self._db:
                    self._db.executemany(
                        "INSERT INTO wanted VALUES (?)", ((key,) for key in sorted(keys))
                    )
                    condition, names = (
                        "text NOT IN (SELECT text FROM wanted)",
                        sorted(encoders or ()),
                    )
                    if encoders is not None:
                        condition += f" OR encoder NOT IN ({_marks(names)})"
                    gone = self._db.execute(f"DELETE FROM encodings WHERE {condition}", names)
                    count = gone.rowcount
            finally:
                self._db.execute("DROP TABLE wanted")
            if count:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return count


def stored(
    db: sqlite3.Connection, encoder: str, keys: Iterable[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """Those of `keys` that a database has, with their encodings.

    Raises:
        sqlite3.Error: it is no such database, damaged or locked.
    """
    for chunk in _chunks(keys):
        yield from _select(db, "text, data", encoder, chunk).fetchall()


def _select(
    db: sqlite3.Connection, columns: str, encoder: str, keys: Sequence[bytes]
) -> sqlite3.Cursor:
    return db.execute(
        f"SELECT {columns} FROM encodings WHERE encoder = ? AND text IN ({_marks(keys)})",
        (encoder, *keys),
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _chunks(keys: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    remaining = iter(keys)
    while chunk := tuple(islice(remaining, _CHUNK)):
        yield chunk


def text_key(text: str) -> bytes:
    """The key of a text: its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def pack_vector(vector: FloatArray) -> bytes:
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def unpack_vector(data: bytes) -> FloatArray:
    return np.frombuffer(data, dtype="<f4")


def pack_terms(matrix: sp.csr_matrix) -> list[bytes]:
    """Each row of a sparse matrix as its column numbers, then its weights."""
    columns = np.ascontiguousarray(matrix.indices, dtype="<i4")
    weights = np.ascontiguousarray(matrix.data, dtype="<f4")
    ends = matrix.indptr.tolist()
    return [
        columns[begin:end].tobytes() + weights[begin:end].tobytes() for begin, end in pairwise(ends)
    ]


def unpack_terms(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Column numbers (int32) and weights (float32), each of length len(data) / 8."""
    half = len(data) // 2
    return np.frombuffer(data[:half], dtype="<i4"), np.frombuffer(data[half:], dtype="<f4")
