"""Files that come through the browser, kept in the home folder. Nothing here draws."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from assistant.file_names import safe_name as safe_name
from indexes.files import storage_errors, write_atomically


class Upload(Protocol):
    """What Streamlit's uploader hands over."""

    name: str

    def getvalue(self) -> bytes: ...


def documents_folder(home: Path, index: str) -> Path:
    """Where the files of an index are kept that came through the browser."""
    return home / "documents" / index


def keep_uploads(folder: Path, uploads: Iterable[Upload]) -> list[Path]:
    """Write the files; one of the same name is replaced, as in a file manager.

    Raises:
        UsageError: a file is of a kind that cannot be read; nothing is written then.
        StorageError: the disk is full or the folder not writable.
    """
    named = [(safe_name(upload.name), upload.getvalue()) for upload in uploads]
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in named:
            write_atomically(folder / name, data)
    return [folder / name for name, _ in named]


def sources_with(known: Iterable[str], added: Iterable[str]) -> list[str]:
    """Known sources, then the new ones that are not among them."""
    return list(dict.fromkeys([*known, *added]))
