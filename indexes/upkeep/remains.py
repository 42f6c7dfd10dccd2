"""A manifest put together from what is left, where neither it nor its copy can be used."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any, TypeGuard

from indexes.files import sha256_of, storage_errors
from indexes.manifest import STORE_FILE, Manifest, now
from indexes.store import read_only

_FIELD = re.compile(r'^ "(\w+)": ', re.M)


def scattered(path: Path) -> dict[str, Any]:
    """The fields of a damaged manifest that can still be read, one by one.

    A field whose text holds a damaged byte is left out where the damage shows.
    """
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError:
        return {}
    found: dict[str, Any] = {}
    starts = list(_FIELD.finditer(text))
    ends = [*(match.start() for match in starts[1:]), len(text)]
    for match, end in zip(starts, ends, strict=True):
        piece = text[match.end() : end].strip().removesuffix("}").rstrip().removesuffix(",")
        if "\ufffd" in piece:
            continue
        try:
            found[match[1]] = json.loads(piece)
        except ValueError:
            try:
                found[match[1]] = json.loads(piece + "}")
            except ValueError:
                continue
    return found


def manifest_of_store(
    place: Path, documents: int, passages: int, known: dict[str, Any]
) -> Manifest:
    """A manifest of the generation in `place`, whose store is consistent; with no stage, since
    nothing says whether the structures there are whole.

    Args:
        known: fields of the manifest before (`scattered`).
    """
    path = place / STORE_FILE
    sources, excluded = known.get("sources"), known.get("excluded")
    return Manifest(
        name=place.parent.name,
        generation=place.name,
        sources=sources if _are_texts(sources) else _sources_in(path),
        documents=documents,
        passages=passages,
        # An unknown chunker makes the next build cut the documents anew.
        chunker=str(known.get("chunker", "unknown")),
        store_checksum=sha256_of(path),
        excluded=excluded if _are_texts(excluded) else [],
        created=str(known.get("created", now())),
    )


def _are_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _sources_in(path: Path) -> list[str]:
    """The sources that the documents of a store came from, in the order of their passages."""
    with storage_errors(path):
        db = sqlite3.connect(read_only(path), uri=True)
        try:
            rows = db.execute(
                "SELECT d.source FROM documents d JOIN passages p ON p.document_id = d.id "
                "GROUP BY d.source ORDER BY min(p.row)"
            ).fetchall()
        finally:
            db.close()
    return [str(row[0]) for row in rows]
