"""Files that are either the old one or the new one, never half; and disk errors in words."""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexes.errors import IndexCorruptError, StorageError


def write_atomically(target: Path, data: bytes) -> None:
    """Replace `target` in one step: write beside it, flush to the disk, rename."""
    partial = target.with_name(f"{target.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def storage_errors(place: Path) -> Iterator[None]:
    """Turn a full disk, missing rights or a damaged database into the project's errors."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _from_sqlite(error, place) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageError(
                f"no space left for {place}",
                remedy="free space and run the same command again: it goes on where it stopped",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StorageError(
                f"no permission to write {place}", remedy="check the owner of the folder"
            ) from error
        raise


def _from_sqlite(error: sqlite3.DatabaseError, place: Path) -> Exception:
    text = str(error)
    if "full" in text or "disk I/O" in text:
        return StorageError(
            f"the disk is full or failing at {place}",
            remedy="free space and run the same command again: it goes on where it stopped",
        )
    if "locked" in text:
        return StorageError(
            f"{place} is in use by another process", remedy="wait until it is done, then try again"
        )
    if "readonly" in text or "unable to open" in text:
        return StorageError(f"cannot open {place}: {text}", remedy="check the owner of the folder")
    return IndexCorruptError(
        f"the database {place} is damaged: {text}", remedy="run `assistant index build` again"
    )
