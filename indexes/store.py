"""The truth of an index: its documents and passages, in one SQLite file.

Rows are numbered from 0 without gaps. The search structures (lexical, dense, sparse) refer to a
passage by its row only, so each of them can be rebuilt from this file alone. A published file is
never written again: a change makes the next generation's file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexes.documents import Document, Passage
from indexes.files import storage_errors

_SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, uri TEXT NOT NULL, title TEXT NOT NULL, media_type TEXT NOT NULL,
    fingerprint TEXT NOT NULL, modified REAL, source TEXT NOT NULL, text TEXT NOT NULL,
    pages TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, page INTEGER, headings TEXT NOT NULL
);
CREATE INDEX passages_of_document ON passages (document_id);
CREATE INDEX documents_by_uri ON documents (uri);
"""

_PASSAGE = """
SELECT p.id, p.document_id, substr(d.text, p.start + 1, p."end" - p.start), p.start, p."end",
       d.title, d.uri, p.page, p.headings
FROM passages p JOIN documents d ON d.id = p.document_id
"""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the index keeps it. `pages` are (start offset, page number), ascending."""

    id: str
    uri: str
    title: str
    media_type: str
    fingerprint: str
    modified: float | None
    source: str
    text: str
    pages: tuple[tuple[int, int], ...]
    passages: int = 0


class PassageStore:
    """Documents and passages of one generation of an index.

    Connections of `sqlite3` belong to the thread that opened them unless told otherwise; searches
    come from several threads (the page), so each call is a short read on a shared connection that
    SQLite itself serialises.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        with storage_errors(path):
            if create:
                path.unlink(missing_ok=True)
                self._db = sqlite3.connect(path, check_same_thread=False)
                # Staged files are thrown away or resumed as a whole, so no journal is needed.
                self._db.execute("PRAGMA synchronous = OFF")
                self._db.executescript(_SCHEMA)
            else:
                address = f"{path.absolute().as_uri()}?mode=ro"
                self._db = sqlite3.connect(address, uri=True, check_same_thread=False)
                self._db.execute("SELECT count(*) FROM passages").fetchone()
        self._next_row = 0

    def close(self) -> None:
        self._db.close()

    # -- writing (staging only) -------------------------------------------------------------

    def add(self, document: Document, passages: Sequence[Passage], *, source: str) -> None:
        """Add one document; its passages get the next rows in order."""
        pages: list[tuple[int, int]] = []
        for block in document.blocks:
            if block.page is not None and (not pages or pages[-1][1] != block.page):
                pages.append((block.start, block.page))
        stored = StoredDocument(
            document.id,
            document.uri,
            document.title,
            document.media_type,
            document.fingerprint,
            document.modified,
            source,
            document.text,
            tuple(pages),
        )
        self._insert(
            stored, [(p.id, p.start, p.end, p.page, json.dumps(p.headings)) for p in passages]
        )

    def copy_from(self, other: PassageStore, document_id: str, *, source: str) -> None:
        """Take over an unchanged document with its passages from another store."""
        stored = other.document(document_id)
        if stored is None:
            raise KeyError(document_id)
        rows = other._db.execute(
            'SELECT id, start, "end", page, headings FROM passages WHERE document_id = ? '
            "ORDER BY row",
            (document_id,),
        ).fetchall()
        self._insert(stored, rows, source=source)

    def _insert(
        self,
        stored: StoredDocument,
        rows: Iterable[tuple[str, int, int, int | None, str]],
        *,
        source: str | None = None,
    ) -> None:
        with storage_errors(self.path):
            self._db.execute(
                "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    stored.id,
                    stored.uri,
                    stored.title,
                    stored.media_type,
                    stored.fingerprint,
                    stored.modified,
                    source or stored.source,
                    stored.text,
                    json.dumps(stored.pages),
                ),
            )
            for passage_id, start, end, page, headings in rows:
                self._db.execute(
                    "INSERT INTO passages VALUES (?,?,?,?,?,?,?)",
                    (self._next_row, passage_id, stored.id, start, end, page, headings),
                )
                self._next_row += 1

    def commit(self) -> None:
        with storage_errors(self.path):
            self._db.commit()

    # -- reading ----------------------------------------------------------------------------

    @property
    def passage_count(self) -> int:
        return self._count("passages")

    @property
    def document_count(self) -> int:
        return self._count("documents")

    def _count(self, table: str) -> int:
        (count,) = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(count)

    def by_rows(self, rows: Sequence[int]) -> list[Passage]:
        """The passages at `rows`, in that order."""
        marks = ",".join("?" * len(rows))
        with storage_errors(self.path):
            found = self._db.execute(
                f"SELECT p.row, q.* FROM passages p JOIN ({_PASSAGE}) q ON q.id = p.id "
                f"WHERE p.row IN ({marks})",
                [int(row) for row in rows],
            ).fetchall()
        by_row = {row[0]: _passage(row[1:]) for row in found}
        return [by_row[int(row)] for row in rows]

    def passage(self, passage_id: str) -> Passage | None:
        row = self._db.execute(f"{_PASSAGE} WHERE p.id = ?", (passage_id,)).fetchone()
        return _passage(row) if row else None

    def rows_of(self, passage_ids: Sequence[str]) -> list[int]:
        """The rows of these passages, ascending; ids that are not here are left out."""
        marks = ",".join("?" * len(passage_ids))
        with storage_errors(self.path):
            rows = self._db.execute(
                f"SELECT row FROM passages WHERE id IN ({marks}) ORDER BY row", list(passage_ids)
            ).fetchall()
        return [int(row[0]) for row in rows]

    def of_document(self, document_id: str) -> dict[int, Passage]:
        """A document's passages by row, in its order."""
        with storage_errors(self.path):
            rows = self._db.execute(
                "SELECT row FROM passages WHERE document_id = ? ORDER BY row", (document_id,)
            ).fetchall()
            found = self._db.execute(
                f"{_PASSAGE} WHERE p.document_id = ? ORDER BY p.row", (document_id,)
            ).fetchall()
        return {int(row[0]): _passage(values) for row, values in zip(rows, found, strict=True)}

    def passages(self) -> Iterator[Passage]:
        """Every passage, by row."""
        with storage_errors(self.path):
            for row in self._db.execute(f"{_PASSAGE} ORDER BY p.row"):
                yield _passage(row)

    def document(self, document_id: str) -> StoredDocument | None:
        row = self._db.execute(
            "SELECT id, uri, title, media_type, fingerprint, modified, source, text, pages, "
            "(SELECT count(*) FROM passages p WHERE p.document_id = documents.id) "
            "FROM documents WHERE id = ?",
            (document_id,),
        ).fetchone()
        return _document(row) if row else None

    def documents(self, *, with_text: bool = False) -> Iterator[StoredDocument]:
        """Every document, by uri; without its text unless asked for."""
        text = "text" if with_text else "''"
        for row in self._db.execute(
            f"SELECT d.id, uri, title, media_type, fingerprint, modified, source, {text}, pages, "
            "count(p.row) FROM documents d LEFT JOIN passages p ON p.document_id = d.id "
            "GROUP BY d.id ORDER BY uri"
        ):
            yield _document(row)

    def uris_of(self, source: str) -> set[str]:
        """The uris of the documents that came from one source."""
        rows = self._db.execute("SELECT uri FROM documents WHERE source = ?", (source,))
        return {str(row[0]) for row in rows}

    def fingerprints(self) -> dict[str, tuple[str, str]]:
        """uri → (fingerprint, document id), to tell changed items from unchanged ones."""
        rows = self._db.execute("SELECT uri, fingerprint, id FROM documents")
        return {uri: (fingerprint, document) for uri, fingerprint, document in rows}


def _passage(row: Sequence[object]) -> Passage:
    identity, document_id, text, start, end, title, uri, page, headings = row
    return Passage(
        id=str(identity),
        document_id=str(document_id),
        text=str(text),
        start=int(str(start)),
        end=int(str(end)),
        title=str(title),
        uri=str(uri),
        page=None if page is None else int(str(page)),
        headings=tuple(json.loads(str(headings))),
    )


def _document(row: Sequence[object]) -> StoredDocument:
    *head, pages, count = row
    identity, uri, title, media_type, fingerprint, modified, source, text = head
    return StoredDocument(
        str(identity),
        str(uri),
        str(title),
        str(media_type),
        str(fingerprint),
        None if modified is None else float(str(modified)),
        str(source),
        str(text),
        tuple((int(start), int(page)) for start, page in json.loads(str(pages))),
        int(str(count)),
    )
