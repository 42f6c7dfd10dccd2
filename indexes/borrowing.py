"""Encodings that another index of the same home folder has made already.

Each index keeps the encodings of its own texts only, so that deleting from it leaves no trace.
What it lacks is copied from its neighbours' caches before anything is encoded; they are only read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from indexes.encodings import EncodingCache, stored
from indexes.store import read_only

# A neighbour that is being written is waited for this long; then it is left out.
_SECONDS = 1.0


def borrow(cache: EncodingCache, encoder: str, missing: set[bytes]) -> set[bytes]:
    """Copy encodings of `missing` texts from neighbouring indexes into `cache`.

    A neighbour that is damaged, locked or of another format is passed over: encoding anew is
    always possible.

    Returns:
        the keys that were found.

    Raises:
        StorageError: the own cache cannot be written.
    """
    found: set[bytes] = set()
    for path in _neighbours(cache.path):
        wanted = sorted(missing - found)
        if not wanted:
            break
        items = _read(path, encoder, wanted)
        while chunk := _next(items):
            cache.put(encoder, chunk)
            found.update(key for key, _ in chunk)
    return found


def _neighbours(own: Path) -> list[Path]:
    everywhere = own.parent.parent.glob(f"*/{own.name}")
    return sorted(path for path in everywhere if path.parent.name != own.parent.name)


def _read(path: Path, encoder: str, wanted: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    try:
        address = read_only(path)
        with closing(sqlite3.connect(address, uri=True, timeout=_SECONDS)) as db:
            for key, data in stored(db, encoder, wanted):
                # An encoding is float32 or int32 numbers, at least one; all else is damage.
                if isinstance(data, bytes) and len(data) % 4 == 0:
                    yield key, data
    except sqlite3.Error:
        return


def _next(items: Iterator[tuple[bytes, bytes]], count: int = 512) -> list[tuple[bytes, bytes]]:
    return [item for _, item in zip(range(count), items, strict=False)]
