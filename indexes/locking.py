"""One writer of an index at a time; the lock of a dead process is free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from indexes.errors import IndexLockedError
from indexes.files import storage_errors


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the index in `folder`, which is made when missing.

    Raises:
        IndexLockedError: another process is writing it.
        StorageError: no space, no rights; also for what is done under the lock.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "writer.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise IndexLockedError(
                f"index '{folder.name}' is being written by another process",
                remedy="wait until it is done: assistant index status",
            ) from error
    try:
        with storage_errors(folder):
            yield
    finally:
        lock.release()
