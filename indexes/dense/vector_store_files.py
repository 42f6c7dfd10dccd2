"""A vector store on the disk: generations, of which one is in force."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from langchain_core.documents import Document

from indexes.carried import Carried, RowArray
from indexes.dense.index import DenseIndex
from indexes.dense.kinds import DenseChoice
from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError, IndexNotFoundError, UsageError
from indexes.files import write_atomically
from indexes.locking import writer_lock

CURRENT, DOCUMENTS = "current.json", "documents.jsonl"
_REMEDY = "add the documents again"


@dataclass(frozen=True, slots=True)
class Saved:
    """A generation of a store, opened: row i of the index is document i."""

    folder: Path
    documents: list[Document]
    index: DenseIndex


def write_saved(
    folder: Path,
    documents: Sequence[Document],
    vectors: FloatArray,
    origin: RowArray,
    before: Saved | None,
    choice: DenseChoice | None,
) -> Saved:
    """Write a new generation to `folder`, put it in force, and open it.

    Args:
        vectors: of the documents that are new, in order.
        origin: for each document its row in `before`, -1 for a new one.

    Raises:
        UsageError: metadata that JSON has no form for.
        StorageError: no space, no rights.
        IndexLockedError: another process is saving there.
    """
    with writer_lock(folder):
        number = max((int(path.name[1:]) for path in _generations(folder)), default=0) + 1
        target = folder / f"g{number:06}"
        partial = folder / f"{target.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        carried = Carried(before.folder, origin) if before is not None else None
        DenseIndex.build(vectors, None, partial, carried, choice=choice)
        write_atomically(partial / DOCUMENTS, "".join(map(_line, documents)).encode())
        partial.replace(target)
        write_atomically(folder / CURRENT, json.dumps({"generation": target.name}).encode())
        for path in _generations(folder):
            if path != target:  # whoever has it open keeps its mapped files
                shutil.rmtree(path, ignore_errors=True)
    return read_saved(folder)


def read_saved(folder: Path) -> Saved:
    """Open the generation in force.

    Raises:
        IndexNotFoundError: nothing was saved in `folder`.
        IndexCorruptError: a file is missing or damaged.
    """
    try:
        place = folder / json.loads((folder / CURRENT).read_bytes())["generation"]
        lines = (place / DOCUMENTS).read_text(encoding="utf-8").splitlines()
        documents = [Document(**json.loads(line)) for line in lines]
    except FileNotFoundError as error:
        if not (folder / CURRENT).exists():
            raise IndexNotFoundError(f"no vector store in {folder}") from error
        raise IndexCorruptError(f"{error.filename} is missing", remedy=_REMEDY) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexCorruptError(
            f"the vector store in {folder} is damaged: {error}", remedy=_REMEDY
        ) from error
    index = DenseIndex.open(place)
    if index.size != len(documents):
        raise IndexCorruptError(
            f"{folder} has {len(documents)} documents and {index.size} vectors", remedy=_REMEDY
        )
    return Saved(place, documents, index)


def _generations(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("g*") if path.is_dir() and path.name[1:].isdigit())


def _line(document: Document) -> str:
    fields = {
        "id": document.id,
        "page_content": document.page_content,
        "metadata": document.metadata,
    }
    try:
        # ASCII only: a line separator within a text would otherwise end its line.
        return json.dumps(fields) + "\n"
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the metadata of document '{document.id}' cannot be saved: {error}",
            remedy="use texts, numbers, booleans, lists and mappings",
        ) from error
