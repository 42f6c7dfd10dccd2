"""Encodings that were computed once, by encoder and text, so that nothing is encoded twice.

Rebuilding after an edit, or going on after a kill, asks here first. Written in small
transactions: what was encoded before a kill is there afterwards. A key is the encoder's
fingerprint with the SHA-256 of the exact text that was encoded.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import scipy.sparse as sp

from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.files import storage_errors


class EncodingCache:
    """A table (encoder, text) → bytes, in SQLite."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path):
            self._db = sqlite3.connect(path, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            # What is deleted must not stay readable in the file: documents can be private.
            self._db.execute("PRAGMA secure_delete = ON")
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
        with storage_errors(self.path):
            rows = self._db.execute("SELECT text FROM encodings WHERE encoder = ?", (encoder,))
            return set(keys) - {bytes(row[0]) for row in rows}

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
        with storage_errors(self.path):
            row = self._db.execute(
                "SELECT data, checksum FROM encodings WHERE encoder = ? AND text = ?",
                (encoder, key),
            ).fetchone()
        if row is None:
            raise KeyError(key.hex())
        data, checksum = row
        if checksum is not None and (not isinstance(data, bytes) or crc32(data) != checksum):
            with storage_errors(self.path), self._db:
                self._db.execute(
                    "DELETE FROM encodings WHERE encoder = ? AND text = ?", (encoder, key)
                )
            raise IndexCorruptError(
                f"an encoding in {self.path} is damaged",
                remedy="run the same command again: that text is encoded anew",
            )
        return bytes(data)

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
            stale = [
                (encoder, text)
                for encoder, text in self._db.execute("SELECT encoder, text FROM encodings")
                if bytes(text) not in keys or (encoders is not None and encoder not in encoders)
            ]
            with self._db:
                self._db.executemany("DELETE FROM encodings WHERE encoder = ? AND text = ?", stale)
            if stale:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(stale)


def text_key(text: str) -> bytes:
    """The key of a text: its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def pack_vector(vector: FloatArray) -> bytes:
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def unpack_vector(data: bytes) -> FloatArray:
    return np.frombuffer(data, dtype="<f4")


def pack_terms(row: sp.csr_matrix) -> bytes:
    """A sparse row of shape (1, V) as its column numbers, then its weights."""
    columns = np.asarray(row.indices, dtype="<i4")
    return columns.tobytes() + np.asarray(row.data, dtype="<f4").tobytes()


def unpack_terms(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Column numbers (int32) and weights (float32), each of length len(data) / 8."""
    half = len(data) // 2
    return np.frombuffer(data[:half], dtype="<i4"), np.frombuffer(data[half:], dtype="<f4")
