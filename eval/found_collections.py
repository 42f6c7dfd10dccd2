"""Collections below a folder that a person names, and which folder that was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import UsageError
from eval.collections import QRELS, QUERIES
from indexes.files import storage_errors, write_atomically

_CORPUS = "corpus.jsonl"
_DEEPEST = 3  # folders below the one that was named
_MOST = 200
_REMEMBERED = "collections-folder.txt"


@dataclass(frozen=True, slots=True)
class FoundCollection:
    """A folder with a corpus. `bytes` is the corpus's size; `why_not` says what it lacks."""

    name: str
    folder: Path
    bytes: int
    why_not: str = ""


def find_collections(folder: Path) -> list[FoundCollection]:
    """The collections in BEIR's layout in `folder` and up to three folders below, by name.

    Only names of files are looked at. Links to folders are not followed.

    Raises:
        UsageError: it is no folder.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder", remedy="give the folder that your collections are in"
        )
    found = []
    for place, folders, files in os.walk(folder):
        path = Path(place)
        depth = len(path.relative_to(folder).parts)
        folders[:] = [] if depth >= _DEEPEST else sorted(f for f in folders if f[0] != ".")
        if _CORPUS not in files:
            continue
        folders[:] = []
        name = str(path.relative_to(folder)) if path != folder else folder.name
        found.append(FoundCollection(name, path, (path / _CORPUS).stat().st_size, _why_not(path)))
        if len(found) >= _MOST:
            break
    return sorted(found, key=lambda one: one.name)


def remembered_folder(evaluation: Path) -> str:
    """The folder that was named last; "" where none was."""
    try:
        return (evaluation / _REMEMBERED).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def remember_folder(evaluation: Path, folder: str) -> None:
    """Keep the name of the folder.

    Raises:
        StorageError: the disk is full or not writable.
    """
    with storage_errors(evaluation):
        evaluation.mkdir(parents=True, exist_ok=True)
        write_atomically(evaluation / _REMEMBERED, folder.encode("utf-8"))


def _why_not(folder: Path) -> str:
    for name in (QUERIES, QRELS):
        if not (folder / name).is_file():
            return f"{name} is missing"
    return ""
