"""The documents of an index as a list, a part at a time: which there are, and how each stands.

    read       in the index, and the file is as it was when it was read
    changed    in the index, but the file has another content now
    gone       in the index, but the file is not there any more
    failed     could not be read when the index was last made; may be in it as it was before
    excluded   taken out by hand, and kept out

States of files are looked up for what is listed only: one look at the file's time, and its content
only where that differs. Web pages and collections count as read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from indexes.documents import ReadFailure
from indexes.files import sha256_of, storage_errors
from indexes.manifest import Manifest
from indexes.store import PassageStore, read_only

State = Literal["read", "changed", "gone", "failed", "excluded"]
STATES: tuple[State, ...] = ("read", "changed", "gone", "failed", "excluded")
ORDERS = {"path": "uri", "title": "folded(title), uri", "newest": "modified DESC, uri"}
"""What a list can be sorted by."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One document in a list.

    Attributes:
        id: empty where the document is not in the index.
        modified: of the file when it was read, in seconds since the epoch; None where unknown.
        reason: why it could not be read; empty in other states. `remedy` says what to do.
    """

    id: str
    uri: str
    title: str
    state: State
    passages: int = 0
    media_type: str = ""
    modified: float | None = None
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of the list, and how many rows the whole has."""

    rows: tuple[Listed, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    uri: str
    title: str
    media_type: str
    fingerprint: str
    modified: float | None
    source: str


def listing(
    store: Any,
    manifest: Manifest,
    *,
    wanted: str = "",
    state: str | None = None,
    order: str = "path",
    offset: int = 0,
    limit: int = 50,
) -> Listing:
    """The documents whose title or uri contains `wanted`, in whatever case.

    Args:
        store: the passage store of the index, in a file or on a server.
        state: one of `STATES`; None: all but those that are in the index no more.
        order: a key of `ORDERS`.

    Raises:
        StorageError, IndexCorruptError: the store cannot be read.
    """
    if state == "excluded":
        out = [Listed("", uri, _name(uri), "excluded") for uri in manifest.excluded]
        return _cut(out, wanted, offset, limit)
    failed = {failure.uri: failure for failure in manifest.failures}
    reader = _Files(store) if isinstance(store, PassageStore) else _Server(store)
    if state == "failed":
        cut = _cut([_not_read(failure) for failure in manifest.failures], wanted, offset, limit)
        kept = reader.ids([row.uri for row in cut.rows])
        total, found = cut.total, [replace(row, id=kept.get(row.uri, "")) for row in cut.rows]
    elif state is None:
        total, rows = reader.page(wanted, order, offset, limit)
        found = [_listed(row, failed) for row in rows]
    else:
        every = [_listed(row, failed) for row in reader.page(wanted, order, 0, -1)[1]]
        matching = [row for row in every if row.state == state]
        total, found = len(matching), matching[offset : offset + limit]
    counts = reader.passages([row.id for row in found])
    return Listing(tuple(replace(row, passages=counts.get(row.id, 0)) for row in found), total)


def state_on_disk(
    uri: str, source: str, modified: float | None, fingerprint: str
) -> Literal["read", "changed", "gone"]:
    """How the file of a document stands to what was read of it."""
    path, root = Path(uri), Path(source)
    if modified is None or not (path.is_absolute() and root.is_absolute()):
        return "read"
    if not path.is_relative_to(root) or "\\" in path.name:  # escapes for bytes of no encoding
        return "read"
    try:
        if path.stat().st_mtime == modified:
            return "read"
        return "read" if sha256_of(path) == fingerprint else "changed"
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    except OSError:
        return "read"  # not ours to look at just now; an update will say why


class _Files:
    """Rows of a store in a file, over a connection of its own: lists are drawn in any thread."""

    def __init__(self, store: PassageStore) -> None:
        self._path = store.path

    def page(self, wanted: str, order: str, offset: int, limit: int) -> tuple[int, list[_Row]]:
        # No LIKE: it knows no case but that of ASCII letters.
        words = wanted.strip().casefold()
        where = "instr(folded(title || ' ' || uri), ?) > 0" if words else "? = ''"
        with storage_errors(self._path), closing(self._open()) as db:
            (total,) = db.execute(
                f"SELECT count(*) FROM documents WHERE {where}", (words,)
            ).fetchone()
            rows = db.execute(
                "SELECT id, uri, title, media_type, fingerprint, modified, source FROM documents "
                f"WHERE {where} ORDER BY {ORDERS[order]} LIMIT ? OFFSET ?",
                (words, limit, offset),
            ).fetchall()
        return int(total), [_Row(*row) for row in rows]

    def passages(self, ids: list[str]) -> dict[str, int]:
        with storage_errors(self._path), closing(self._open()) as db:
            return {
                identity: count
                for part in _parts(ids)
                for identity, count in db.execute(
                    "SELECT document_id, count(*) FROM passages WHERE document_id IN "
                    f"({','.join('?' * len(part))}) GROUP BY document_id",
                    part,
                )
            }

    def ids(self, uris: list[str]) -> dict[str, str]:
        with storage_errors(self._path), closing(self._open()) as db:
            return {
                uri: identity
                for part in _parts(uris)
                for uri, identity in db.execute(
                    f"SELECT uri, id FROM documents WHERE uri IN ({','.join('?' * len(part))})",
                    part,
                )
            }

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(read_only(self._path), uri=True)
        db.create_function("folded", 1, lambda text: str(text).casefold(), deterministic=True)
        return db


class _Server:
    """Rows of a store on a server: gone through here, since nobody lists thousands of them."""

    def __init__(self, store: Any) -> None:
        self._documents = list(store.documents())

    def page(self, wanted: str, order: str, offset: int, limit: int) -> tuple[int, list[_Row]]:
        words = wanted.strip().casefold()
        found = [d for d in self._documents if words in f"{d.title} {d.uri}".casefold()]
        if order == "title":
            found.sort(key=lambda d: (d.title.casefold(), d.uri))
        elif order == "newest":
            found.sort(key=lambda d: (-(d.modified or 0.0), d.uri))
        part = found[offset:] if limit < 0 else found[offset : offset + limit]
        rows = [
            _Row(d.id, d.uri, d.title, d.media_type, d.fingerprint, d.modified, d.source)
            for d in part
        ]
        return len(found), rows

    def passages(self, ids: list[str]) -> dict[str, int]:
        wanted = set(ids)
        return {d.id: d.passages for d in self._documents if d.id in wanted}

    def ids(self, uris: list[str]) -> dict[str, str]:
        wanted = set(uris)
        return {d.uri: d.id for d in self._documents if d.uri in wanted}


def _listed(row: _Row, failed: dict[str, ReadFailure]) -> Listed:
    failure = failed.get(row.uri)
    state: State = (
        "failed"
        if failure is not None
        else state_on_disk(row.uri, row.source, row.modified, row.fingerprint)
    )
    return Listed(
        row.id,
        row.uri,
        row.title,
        state,
        media_type=row.media_type,
        modified=row.modified,
        reason=failure.reason if failure else "",
        remedy=failure.remedy if failure else "",
    )


def _not_read(failure: ReadFailure) -> Listed:
    return Listed(
        "", failure.uri, _name(failure.uri), "failed", reason=failure.reason, remedy=failure.remedy
    )


def _cut(rows: Iterable[Listed], wanted: str, offset: int, limit: int) -> Listing:
    words = wanted.strip().casefold()
    found = [row for row in rows if words in f"{row.title} {row.uri}".casefold()]
    return Listing(tuple(found[offset : offset + limit]), len(found))


def _name(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[2] or uri


def _parts(values: list[str], size: int = 500) -> Iterator[list[str]]:
    for begin in range(0, len(values), size):
        yield values[begin : begin + size]
