"""Writing the passage store of a generation that is being staged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from indexes.documents import Document, Passage
from indexes.encodings import text_key
from indexes.files import storage_errors
from indexes.language_guess import language_of
from indexes.store import SCHEMA, PassageStore, read_only

_DOCUMENT = "id, uri, title, media_type, fingerprint, modified, source, language, text, pages"
_PASSAGE = 'row, id, document_id, start, "end", page, headings, key'


class StagedStore(PassageStore):
    """A new, empty store at `path`, that can be written until it is published.

    Args:
        donors: stores that unchanged documents are copied from, whole batches at a time.

    Raises:
        StorageError: no space, no rights.
    """

    def __init__(self, path: Path, donors: Sequence[PassageStore] = ()) -> None:
        self._donors = list(donors)
        super().__init__(path)
        self._next_row = 0

    def _connect(self) -> sqlite3.Connection:
        self.path.unlink(missing_ok=True)
        address = self.path.absolute().as_uri()
        db = sqlite3.connect(address, uri=True, check_same_thread=False)
        # Staged files are thrown away or resumed as a whole, so nothing need be flushed before
        # the end; and no private text shall reach a temporary file.
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA temp_store = MEMORY")
        db.executescript(SCHEMA)
        db.execute("CREATE TEMP TABLE batch (ordinal INTEGER PRIMARY KEY, id TEXT, source TEXT)")
        for number, donor in enumerate(self._donors):
            db.execute(f"ATTACH DATABASE ? AS donor{number}", (read_only(donor.path),))
        return db

    def add(self, document: Document, passages: Sequence[Passage], *, source: str) -> None:
        """Add one document; its passages get the next rows in order."""
        pages: list[tuple[int, int]] = []
        for block in document.blocks:
            if block.page is not None and (not pages or pages[-1][1] != block.page):
                pages.append((block.start, block.page))
        with storage_errors(self.path):
            self._db.execute(
                f"INSERT INTO documents ({_DOCUMENT}) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    document.id,
                    document.uri,
                    document.title,
                    document.media_type,
                    document.fingerprint,
                    document.modified,
                    source,
                    language_of(document.text),
                    document.text,
                    json.dumps(pages),
                ),
            )
            rows = [
                (
                    self._next_row + number,
                    passage.id,
                    document.id,
                    passage.start,
                    passage.end,
                    passage.page,
                    json.dumps(passage.headings),
                    text_key(passage.indexed_text),
                )
                for number, passage in enumerate(passages)
            ]
            self._db.executemany(
                f"INSERT INTO passages ({_PASSAGE}) VALUES (?,?,?,?,?,?,?,?)", rows
            )
        self._next_row += len(rows)

    def copy(self, donor: int, documents: Iterable[tuple[str, str]]) -> None:
        """Take over unchanged documents with their passages, in this order.

        Args:
            donor: the number of the store that they come from.
            documents: (id, source to note) of each; all are in that store.
        """
        with storage_errors(self.path):
            self._db.execute("DELETE FROM batch")
            self._db.executemany("INSERT INTO batch (id, source) VALUES (?, ?)", list(documents))
            columns = ", ".join(
                "b.source" if name == "source" else f"d.{name}" for name in _DOCUMENT.split(", ")
            )
            self._db.execute(
                f"INSERT INTO documents ({_DOCUMENT}) SELECT {columns} "
                f"FROM batch b JOIN donor{donor}.documents d ON d.id = b.id ORDER BY d.id"
            )
            columns = _PASSAGE.removeprefix("row, ").replace(", ", ", p.")
            added = self._db.execute(
                f"INSERT INTO passages ({_PASSAGE}) "
                f"SELECT ? + row_number() OVER (ORDER BY b.ordinal, p.row) - 1, p.{columns} "
                f"FROM batch b JOIN donor{donor}.passages p ON p.document_id = b.id",
                (self._next_row,),
            ).rowcount
        self._next_row += added

    def commit(self) -> None:
        with storage_errors(self.path):
            self._db.commit()
