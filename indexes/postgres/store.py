"""Documents and passages of one generation, read from the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from indexes.documents import Passage
from indexes.filters import Filter
from indexes.postgres.session import Row, Session
from indexes.store import StoredDocument

_PASSAGE = """
SELECT p.number, p.id, d.id, substr(d.text, p.start + 1, p."end" - p.start), p.start, p."end",
       d.title, d.uri, p.page, p.headings
FROM passages p JOIN documents d ON d.number = p.document
"""
_DOCUMENT = "d.id, d.uri, d.title, d.media_type, d.fingerprint, d.modified, d.source, d.language"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Restriction:
    """Which passages may be found, as conditions for the `WHERE` of a search.

    In the conditions `{p}` stands for the passage's alias and `%s` for the values, in their order.
    """

    conditions: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    @classmethod
    def of_documents(cls, condition: str, values: Sequence[Any]) -> Restriction:
        """Those of documents that meet a condition on the table `documents`."""
        inside = f"SELECT number FROM documents WHERE {condition}"
        return cls((f"{{p}}.document IN ({inside})",), tuple(values))

    def of_passages(self, alias: str) -> str:
        """The condition on a passage of that alias."""
        return " AND ".join(part.replace("{p}", alias) for part in self.conditions) or "true"

    def __and__(self, other: Restriction) -> Restriction:
        return Restriction((*self.conditions, *other.conditions), (*self.values, *other.values))


def visible(alias: str, generation: int) -> str:
    """The condition that a document or passage is valid at a generation."""
    return f"{alias}.since <= {generation:d} AND {alias}.until > {generation:d}"


class PostgresStore:
    """The passage store of one generation (`indexes.reading.PassageReader`).

    Rows are ascending numbers with gaps: an update gives new passages new numbers and leaves the
    others theirs.
    """

    def __init__(self, session: Session, generation: int) -> None:
        self._session = session
        self.generation = generation

    def close(self) -> None:
        self._session.close()

    @property
    def passage_count(self) -> int:
        return self._count("passages")

    @property
    def document_count(self) -> int:
        return self._count("documents")

    def _count(self, table: str) -> int:
        where = visible("t", self.generation)
        return int(self._session.value(f"SELECT count(*) FROM {table} t WHERE {where}"))

    def by_rows(self, rows: Sequence[int]) -> list[Passage]:
        """The passages at `rows`, in that order."""
        found = self._session.rows(
            f"{_PASSAGE} WHERE p.number = ANY(%s)", ([int(row) for row in rows],)
        )
        by_row = {row[0]: _passage(row) for row in found}
        return [by_row[int(row)] for row in rows]

    def passage(self, passage_id: str) -> Passage | None:
        where = visible("p", self.generation)
        row = self._session.one(f"{_PASSAGE} WHERE p.id = %s AND {where}", (passage_id,))
        return _passage(row) if row else None

    def rows_of(self, passage_ids: Sequence[str]) -> list[int]:
        """The rows of these passages, ascending; ids that are not here are left out."""
        where = visible("p", self.generation)
        rows = self._session.rows(
            f"SELECT p.number FROM passages p WHERE p.id = ANY(%s) AND {where} ORDER BY p.number",
            (list(passage_ids),),
        )
        return [int(row[0]) for row in rows]

    def of_document(self, document_id: str) -> dict[int, Passage]:
        """A document's passages by row, in its order."""
        where = visible("p", self.generation)
        found = self._session.rows(
            f"{_PASSAGE} WHERE d.id = %s AND {where} ORDER BY p.number", (document_id,)
        )
        return {int(row[0]): _passage(row) for row in found}

    def passages(self) -> Iterator[Passage]:
        """Every passage, by row; a thousand at a time."""
        where, after = visible("p", self.generation), 0
        while found := self._session.rows(
            f"{_PASSAGE} WHERE p.number > %s AND {where} ORDER BY p.number LIMIT {_PAGE}", (after,)
        ):
            for row in found:
                yield _passage(row)
            after = int(found[-1][0])

    def document(self, document_id: str) -> StoredDocument | None:
        """A document with its whole text."""
        where = visible("d", self.generation)
        row = self._session.one(
            f"SELECT {_DOCUMENT}, d.text, d.pages, (SELECT count(*) FROM passages p "
            f"WHERE p.document = d.number) FROM documents d WHERE d.id = %s AND {where}",
            (document_id,),
        )
        return _document(row) if row else None

    def documents(self, *, with_text: bool = False) -> Iterator[StoredDocument]:
        """Every document, by uri; without its text unless asked for."""
        text, where = "d.text" if with_text else "''", visible("d", self.generation)
        after: tuple[str, int] | None = None
        while True:
            # The order of code points, as SQLite's; a number breaks ties between equal uris.
            later = '(d.uri COLLATE "C", d.number) > (%s, %s) AND' if after else ""
            found = self._session.rows(
                f"SELECT {_DOCUMENT}, {text}, d.pages, (SELECT count(*) FROM passages p "
                f"WHERE p.document = d.number), d.number FROM documents d WHERE {later} {where} "
                f'ORDER BY d.uri COLLATE "C", d.number LIMIT {_PAGE}',
                after or (),
            )
            if not found:
                return
            for row in found:
                yield _document(row[:-1])
            after = (str(found[-1][1]), int(found[-1][-1]))

    def uris_of(self, source: str) -> set[str]:
        """The uris of the documents that came from one source."""
        where = visible("d", self.generation)
        rows = self._session.rows(
            f"SELECT d.uri FROM documents d WHERE d.source = %s AND {where}", (source,)
        )
        return {str(row[0]) for row in rows}

    def fingerprints(self) -> dict[str, tuple[str, str]]:
        """uri → (fingerprint, document id), to tell changed items from unchanged ones."""
        where = visible("d", self.generation)
        rows = self._session.rows(
            f"SELECT d.uri, d.fingerprint, d.id FROM documents d WHERE {where}"
        )
        return {uri: (fingerprint, document) for uri, fingerprint, document in rows}

    def allowed(self, wanted: Filter) -> Restriction:
        """A filter as a part of a search's SQL; the stages of this index take it as `allowed`."""
        condition, values = wanted.conditions()
        if not values:
            return Restriction()
        return Restriction.of_documents(condition.replace("?", "%s"), values)

    def permitted(self, rows: Sequence[int], allowed: Restriction) -> list[int]:
        """Those of `rows` that a restriction lets through, in their order."""
        found = self._session.rows(
            f"SELECT p.number FROM passages p WHERE p.number = ANY(%s) AND "
            f"{allowed.of_passages('p')}",
            ([int(row) for row in rows], *allowed.values),
        )
        passed = {int(number) for (number,) in found}
        return [row for row in rows if int(row) in passed]


def _passage(row: Row) -> Passage:
    _, identity, document_id, text, start, end, title, uri, page, headings = row
    return Passage(identity, document_id, text, start, end, title, uri, page, tuple(headings))


def _document(row: Row) -> StoredDocument:
    *head, language, text, pages, count = row
    identity, uri, title, media_type, fingerprint, modified, source = head
    return StoredDocument(
        id=identity,
        uri=uri,
        title=title,
        media_type=media_type,
        fingerprint=fingerprint,
        modified=modified,
        source=source,
        language=language or "",
        text=text,
        pages=tuple((int(start), int(page)) for start, page in pages),
        passages=int(count),
    )
