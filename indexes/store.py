"""The truth of an index: its documents and passages, in one SQLite file.

Rows are numbered from 0 without gaps. The search structures (lexical, dense, sparse) refer to a
passage by its row only, so each of them can be rebuilt from this file alone. A published file is
never written again: a change makes the next generation's file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes.carried import Allowed, RowArray
from indexes.documents import Passage
from indexes.errors import IndexCorruptError
from indexes.files import storage_errors
from indexes.filters import Filter

_MOST_MARKS = 500
# Fewer rows than one in so many are fetched one by one, more by walking through all.
_SPARSE = 20

SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, uri TEXT NOT NULL, title TEXT NOT NULL, media_type TEXT NOT NULL,
    fingerprint TEXT NOT NULL, modified REAL, source TEXT NOT NULL, language TEXT NOT NULL,
    text TEXT NOT NULL, pages TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, page INTEGER, headings TEXT NOT NULL,
    key BLOB NOT NULL
);
CREATE INDEX passages_of_document ON passages (document_id);
CREATE INDEX documents_by_uri ON documents (uri);
"""

_PASSAGE = """
SELECT p.id, p.document_id, substr(d.text, p.start + 1, p."end" - p.start), p.start, p."end",
       d.title, d.uri, p.page, p.headings
FROM passages p JOIN documents d ON d.id = p.document_id
"""


def read_only(path: Path) -> str:
    """The address under which SQLite opens a file without ever writing to it."""
    return f"{path.absolute().as_uri()}?mode=ro"


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the index keeps it.

    `pages` are (start offset, page number), ascending; `language` is an ISO 639-1 code, empty where
    it is unknown.
    """

    id: str
    uri: str
    title: str
    media_type: str
    fingerprint: str
    modified: float | None
    source: str
    language: str
    text: str
    pages: tuple[tuple[int, int], ...]
    passages: int = 0


class PassageStore:
    """Documents and passages of one generation of an index.

    Connections of `sqlite3` belong to the thread that opened them unless told otherwise; searches
    come from several threads (the page), so each call is a short read on a shared connection that
    SQLite itself serialises.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path):
            self._db = self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(read_only(self.path), uri=True, check_same_thread=False)
        db.execute("SELECT count(*) FROM passages").fetchone()
        return db

    def close(self) -> None:
        self._db.close()

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
        """The passages at `rows`, in that order.

        Raises:
            IndexCorruptError: one of them is not here.
        """
        marks = ",".join("?" * len(rows))
        with storage_errors(self.path):
            found = self._db.execute(
                f"SELECT p.row, q.* FROM passages p JOIN ({_PASSAGE}) q ON q.id = p.id "
                f"WHERE p.row IN ({marks})",
                [int(row) for row in rows],
            ).fetchall()
        by_row = {row[0]: _passage(row[1:]) for row in found}
        if missing := [int(row) for row in rows if int(row) not in by_row]:
            raise IndexCorruptError(
                f"the database {self.path} is damaged: it has no row {missing[0]}",
                remedy=f"assistant index repair {self.path.parent.parent.name}",
            )
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
            document: StoredDocument | None = None
            for row in self._db.execute(
                'SELECT id, document_id, start, "end", page, headings FROM passages ORDER BY row'
            ):
                identity, document_id, start, end, page, headings = row
                # A document's passages stand together, so its long text is fetched once.
                if document is None or document.id != document_id:
                    document = self.document(document_id)
                    assert document is not None
                text = document.text[start:end]
                shared = (text, start, end, document.title, document.uri, page, headings)
                yield _passage((identity, document_id, *shared))

    def texts(self, rows: RowArray) -> Iterator[str]:
        """What is searched and encoded of the passages at `rows` (ascending), in that order."""
        if len(rows) * _SPARSE < self.passage_count:
            for begin in range(0, len(rows), _MOST_MARKS):
                for passage in self.by_rows(rows[begin : begin + _MOST_MARKS].tolist()):
                    yield passage.indexed_text
            return
        wanted = iter(rows.tolist())
        row = next(wanted, None)
        for number, passage in enumerate(self.passages()):
            if row is None:
                return
            if number == row:
                yield passage.indexed_text
                row = next(wanted, None)

    def keys(self) -> npt.NDArray[np.uint64]:
        """The passages' keys (SHA-256 of `Passage.indexed_text`), of shape (rows, 4), by row."""
        with storage_errors(self.path):
            found = self._db.execute("SELECT key FROM passages ORDER BY row")
            data = b"".join(key for (key,) in found)
        return np.frombuffer(data, dtype="<u8").reshape(-1, 4)

    def allowed(self, wanted: Filter) -> Allowed:
        """Which rows are of documents that pass the filter: a mask of shape (rows,)."""
        condition, values = wanted.conditions()
        mask = np.zeros(self.passage_count, dtype=np.bool_)
        with storage_errors(self.path):
            found = self._db.execute(
                "SELECT p.row FROM passages p WHERE p.document_id IN "
                f"(SELECT id FROM documents WHERE {condition})",
                values,
            ).fetchall()
        mask[[row for (row,) in found]] = True
        return mask

    def languages(self) -> list[str]:
        """The language of every passage's document (ISO 639-1, empty where unknown), by row."""
        with storage_errors(self.path):
            found = self._db.execute(
                "SELECT d.language FROM passages p JOIN documents d ON d.id = p.document_id "
                "ORDER BY p.row"
            )
            return [str(language) for (language,) in found]

    def document(self, document_id: str) -> StoredDocument | None:
        row = self._db.execute(
            "SELECT id, uri, title, media_type, fingerprint, modified, source, language, text, "
            "pages, (SELECT count(*) FROM passages p WHERE p.document_id = documents.id) "
            "FROM documents WHERE id = ?",
            (document_id,),
        ).fetchone()
        return _document(row) if row else None

    def documents(self, *, with_text: bool = False) -> Iterator[StoredDocument]:
        """Every document, by uri; without its text unless asked for."""
        text = "text" if with_text else "''"
        for row in self._db.execute(
            "SELECT d.id, uri, title, media_type, fingerprint, modified, source, language, "
            f"{text}, pages, count(p.row) FROM documents d LEFT JOIN passages p "
            "ON p.document_id = d.id GROUP BY d.id ORDER BY uri"
        ):
            yield _document(row)

    def uris_of(self, source: str) -> set[str]:
        """The uris of the documents that came from one source."""
        rows = self._db.execute("SELECT uri FROM documents WHERE source = ?", (source,))
        return {str(row[0]) for row in rows}

    def in_order(self) -> list[tuple[str, str, str]]:
        """(id, uri, source) of every document, in the order of their passages."""
        rows = self._db.execute(
            "SELECT d.id, d.uri, d.source FROM documents d JOIN "
            "(SELECT document_id, min(row) AS first FROM passages GROUP BY document_id) p "
            "ON p.document_id = d.id ORDER BY p.first"
        )
        return [(str(identity), str(uri), str(source)) for identity, uri, source in rows]

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
    identity, uri, title, media_type, fingerprint, modified, source, language, text = head
    return StoredDocument(
        str(identity),
        str(uri),
        str(title),
        str(media_type),
        str(fingerprint),
        None if modified is None else float(str(modified)),
        str(source),
        str(language),
        str(text),
        tuple((int(start), int(page)) for start, page in json.loads(str(pages))),
        int(str(count)),
    )
