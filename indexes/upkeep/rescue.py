"""Documents saved from a damaged store, for where their source is gone.

SQLite reads a damaged file up to the damage, so every document is asked for on its own, found
through each of the trees that know of it; what raises an error is left out.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from indexes.chunking import Chunker
from indexes.documents import Block, Document, Entry, Passage, ReadFailure, Source
from indexes.encodings import text_key
from indexes.errors import ReadError
from indexes.store import read_only

_WAYS = (
    "SELECT id FROM documents",
    "SELECT id FROM documents ORDER BY id DESC",
    "SELECT id FROM documents ORDER BY uri",
    "SELECT id FROM documents ORDER BY uri DESC",
    "SELECT document_id FROM passages ORDER BY row",
    "SELECT document_id FROM passages ORDER BY row DESC",
    "SELECT document_id FROM passages ORDER BY document_id",
    "SELECT document_id FROM passages ORDER BY document_id DESC",
)


@dataclass(slots=True)
class Rescued:
    """A document that could be read, with its passages as they were.

    `certain`: every passage's text was compared with its key. `used`: it went into an index.
    """

    document: Document
    passages: list[Passage]
    source: str
    certain: bool
    used: bool = field(default=False)

    @property
    def uri(self) -> str:
        return self.document.uri


def rescue(path: Path) -> dict[str, Rescued]:
    """What can be read of a damaged store, by uri; nothing where it cannot even be opened."""
    found: dict[str, Rescued] = {}
    try:
        with closing(sqlite3.connect(read_only(path), uri=True)) as db:
            db.row_factory = sqlite3.Row
            for document_id in _ids(db):
                try:
                    one = _read(db, document_id)
                except (sqlite3.DatabaseError, ValueError, TypeError, KeyError, IndexError):
                    continue
                if one is not None:
                    found[one.uri] = one
    except (sqlite3.DatabaseError, OSError):
        pass
    return found


def _ids(db: sqlite3.Connection) -> list[str]:
    ids: dict[str, None] = {}
    for way in _WAYS:
        try:
            for row in db.execute(way):
                ids[str(row[0])] = None
        except sqlite3.DatabaseError:
            continue  # up to the damage; another way comes from its other side
    return sorted(ids)


def _read(db: sqlite3.Connection, document_id: str) -> Rescued | None:
    row = db.execute("SELECT * FROM documents WHERE id = ?", (document_id,)).fetchone()
    if row is None:
        return None
    text = str(row["text"])
    pages = [(int(start), int(page)) for start, page in json.loads(row["pages"])]
    ends = [start for start, _ in pages[1:]] + [len(text)] * bool(pages)
    blocks = [Block(s, e, page=page) for (s, page), e in zip(pages, ends, strict=True)]
    document = Document(
        id=str(row["id"]),
        uri=str(row["uri"]),
        title=str(row["title"]),
        text=text,
        blocks=tuple(blocks or [Block(0, len(text))]),
        media_type=str(row["media_type"]),
        fingerprint=str(row["fingerprint"]),
        modified=row["modified"],
    )
    passages, certain = [], True
    for at in db.execute(
        "SELECT * FROM passages WHERE document_id = ? ORDER BY row", (document_id,)
    ):
        passage = Passage(
            id=str(at["id"]),
            document_id=document.id,
            text=text[at["start"] : at["end"]],
            start=int(at["start"]),
            end=int(at["end"]),
            title=document.title,
            uri=document.uri,
            page=at["page"],
            headings=tuple(json.loads(at["headings"])),
        )
        if not 0 <= passage.start < passage.end <= len(text):
            return None
        if "key" not in at.keys():  # noqa: SIM118 - a row, not a dictionary
            certain = False
        elif bytes(at["key"]) != text_key(passage.indexed_text):
            return None
        passages.append(passage)
    return Rescued(document, passages, str(row["source"]), certain) if passages else None


class RescuedSource:
    """A source, with what was saved standing in for what it does not give any more.

    Args:
        spec: the source's.
        source: None where it cannot be opened at all: then everything saved of it is given.
    """

    def __init__(self, spec: str, source: Source | None, rescued: dict[str, Rescued]) -> None:
        self.spec = spec
        self._source, self._rescued = source, rescued

    def entries(self) -> Iterator[Entry | ReadFailure]:
        """See `indexes.documents.Source`."""
        if self._source is None:
            for one in sorted(self._rescued.values(), key=lambda one: one.uri):
                if one.source == self.spec:
                    yield self._saved(one)
            return
        for item in self._source.entries():
            if isinstance(item, ReadFailure):
                below = (f"{item.uri}/", f"{item.uri}#")
                for uri, one in sorted(self._rescued.items()):
                    if uri == item.uri or uri.startswith(below):
                        yield self._saved(one)
                yield item
            else:
                yield Entry(item.uri, item.fingerprint, lambda item=item: self._load(item))  # type: ignore[misc]

    def _load(self, item: Entry) -> Document:
        try:
            return item.load()
        except ReadError:
            if item.uri in self._rescued:
                return self._saved(self._rescued[item.uri]).load()
            raise

    @staticmethod
    def _saved(one: Rescued) -> Entry:
        def load() -> Document:
            one.used = True
            return one.document

        return Entry(one.uri, one.document.fingerprint, load)


class AsBefore(Chunker):
    """A chunker that cuts saved documents as they were cut, and others as it always does."""

    def __init__(self, chunker: Chunker, rescued: dict[str, Rescued]) -> None:
        super().__init__(chunker.max_words, chunker.small_words)
        self._before = {id(one.document): one.passages for one in rescued.values()}
        self._chunker = chunker

    @property
    def fingerprint(self) -> str:
        return self._chunker.fingerprint

    def split(self, document: Document) -> list[Passage]:
        return self._before.get(id(document)) or self._chunker.split(document)
