"""Bringing an index of an older format to the present one.

The truth is read as the older version wrote it and staged as the present one writes it; nothing
is read from the sources and nothing is encoded that was encoded before, since encodings are kept
by text. The old generation stays until the new one is published.

Formats: 1, before passages had keys and documents languages; 2, the present one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexes.documents import Block, Document, Passage, ReadFailure
from indexes.errors import IndexCorruptError, IndexFormatError, UsageError
from indexes.files import storage_errors
from indexes.manifest import FORMAT, MANIFEST, Manifest, Stage
from indexes.staged_store import StagedStore
from indexes.store import read_only

OLDEST = 1


def read_older(folder: Path) -> Manifest:
    """The manifest of an index of an older format, in the present form.

    Raises:
        UsageError: the index has the present format already.
        IndexFormatError: it is newer, or older than anything known.
        IndexCorruptError: it cannot be understood.
    """
    name = folder.name
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        values.pop("checksum", None)
        version = int(values["format"])
        if version == FORMAT:
            raise UsageError(f"index '{name}' has the present format already")
        if not OLDEST <= version < FORMAT:
            raise IndexFormatError(
                f"index '{name}' has format {version}, which this version cannot upgrade",
                remedy=f"build it anew: assistant index build {name} --fresh",
            )
        values["failures"] = [ReadFailure(**failure) for failure in values["failures"]]
        values["stages"] = {stage: Stage(**made) for stage, made in values["stages"].items()}
        return Manifest(**{**values, "format": FORMAT})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexCorruptError(
            f"the manifest of index '{name}' is damaged: {error}",
            remedy=f"build it anew: assistant index build {name} --from FOLDER --fresh",
        ) from error


def copy_older(old: Path, staged: StagedStore) -> int:
    """Copy the documents and passages of a store of format 1; returns how many documents."""
    with storage_errors(old):
        db = sqlite3.connect(read_only(old), uri=True)
        try:
            count = 0
            for document, passages, source in _documents(db):
                staged.add(document, passages, source=source)
                count += 1
        finally:
            db.close()
    staged.commit()
    return count


def _documents(db: sqlite3.Connection) -> Iterator[tuple[Document, list[Passage], str]]:
    """Every document with its passages, in the order of their rows."""
    order = db.execute(
        "SELECT d.id, uri, title, media_type, fingerprint, modified, source, text, pages "
        "FROM documents d JOIN (SELECT document_id, min(row) AS first FROM passages "
        "GROUP BY document_id) p ON p.document_id = d.id ORDER BY p.first"
    )
    for identity, uri, title, media, fingerprint, modified, source, text, pages in order:
        passages = [
            Passage(
                id=name,
                document_id=identity,
                text=text[start:end],
                start=start,
                end=end,
                title=title,
                uri=uri,
                page=page,
                headings=tuple(json.loads(headings)),
            )
            for name, start, end, page, headings in db.execute(
                'SELECT id, start, "end", page, headings FROM passages WHERE document_id = ? '
                "ORDER BY row",
                (identity,),
            )
        ]
        # Where pages begin is all that a store keeps of a document's blocks.
        blocks = tuple(Block(start, start, page=page) for start, page in json.loads(pages))
        document = Document(identity, uri, title, text, blocks, media, fingerprint, modified)
        yield document, passages, source
