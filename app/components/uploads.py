"""Files that come through the browser, kept in the home folder. Nothing here draws."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from assistant.errors import UsageError
from indexes.corpora.formats import format_of
from indexes.files import storage_errors, write_atomically

_LONGEST = 120  # characters; file systems allow 255 bytes


class Upload(Protocol):
    """What Streamlit's uploader hands over."""

    name: str

    def getvalue(self) -> bytes: ...


def documents_folder(home: Path, index: str) -> Path:
    """Where the files of an index are kept that came through the browser."""
    return home / "documents" / index


def safe_name(name: str) -> str:
    """A harmless file name: no folders, no control characters, not hidden, not too long.

    Raises:
        UsageError: nothing is left of it, or the format cannot be read.
    """
    base = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    base = "".join(c for c in base if unicodedata.category(c)[0] != "C")
    base = re.sub(r'[<>:"|?*]', "_", base).strip().lstrip(".~$ ").rstrip(". ")
    stem, dot, suffix = base.rpartition(".")
    if dot and len(base) > _LONGEST:
        base = f"{stem[: _LONGEST - len(suffix) - 1]}.{suffix}"[-_LONGEST:]
    if not base or format_of(base) is None:
        raise UsageError(
            f"'{name}' is not a kind of file that can be read",
            remedy="text, Markdown, HTML, PDF, Word, CSV or JSON",
        )
    return base


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
