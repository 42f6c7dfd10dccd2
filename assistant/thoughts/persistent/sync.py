"""Bringing the derived layer of a graph to the state of a published index.

Only passages that are new or changed are read, sixty-four at a time; each such batch is on the
disk before the next begins, so that a sync that was killed goes on where it stopped. Passages that
are gone take their rows, their extractions and the names that nothing else has with them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.thoughts.extraction.types import Extraction, Extractor
from assistant.thoughts.knowledge import source_of
from assistant.thoughts.persistent.layer import forget_lost_ground
from assistant.thoughts.persistent.rows import packed, passage_key, rows_of, unpacked
from assistant.thoughts.persistent.schema import note, revise, set_note, writing
from assistant.thoughts.persistent.tables import Tables
from indexes.documents import Passage
from indexes.progress import OnProgress, Progress
from indexes.store import PassageStore, read_only

BATCH = 64  # passages read and written together, so lost at most by a kill

# A document's fingerprint and where the passage lies in it: equal ones have the same text, unless
# the same bytes are read in another way; then the text's length differs as good as always.
_STAMPS = """
WITH documents AS MATERIALIZED (
    SELECT id, fingerprint || char(31) || title || char(31) || length(text) AS stamp
    FROM store.documents
)
SELECT p.row, d.stamp || char(31) || p.start || char(31) || p."end" || char(31) || p.headings AS now
FROM store.passages p JOIN documents d ON d.id = p.document_id
LEFT JOIN main.passages g ON g.id = p.id
WHERE g.row IS NULL OR g.extractor <> ? OR g.stamp <> now OR ?
ORDER BY p.row
"""
_GONE = """
SELECT g.row FROM main.passages g
WHERE NOT EXISTS (SELECT 1 FROM store.passages p WHERE p.id = g.id)
"""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did.

    Attributes:
        extracted: passages whose text had not been read before.
        written: passages whose rows are new.
        removed: passages that are gone.
        demoted: facts that the person had promoted and that no passage says any more.
    """

    extracted: int
    written: int
    removed: int
    demoted: int
    seconds: float


def sync(
    path: Path,
    store: PassageStore,
    extractor: Extractor,
    on_progress: OnProgress = lambda progress: None,
    *,
    generation: str = "",
    thorough: bool = False,
) -> SyncResult:
    """Make the graph in `path` hold exactly what the passages of `store` say.

    Call it from one process at a time (`indexes.build.IndexWriter` holds a lock). Readers are never
    kept waiting: they see the last batch that is on the disk.

    Args:
        path: the file; made where it is missing.
        on_progress: hears of the stage "graph", in passages.
        generation: what the store is called; noted when all is done.
        thorough: compare the texts themselves, not only fingerprints, lengths and places.

    Raises:
        StorageError, IndexCorruptError, IndexFormatError: see `schema.writing`.
        whatever the extractor raises; what was done until then stays.
    """
    started = time.monotonic()
    with writing(path, create=True) as db:
        work = _Sync(db, store, extractor)
        work.remove()
        pending = work.pending(thorough=thorough)
        for first in range(0, len(pending), BATCH):
            work.take(pending[first : first + BATCH])
            done = min(first + BATCH, len(pending))
            seconds = time.monotonic() - started
            remaining = seconds / done * (len(pending) - done)
            on_progress(Progress("graph", done, len(pending), "passages", seconds, remaining))
        demoted = work.finish(generation)
        return SyncResult(
            work.extracted, work.written, work.removed, demoted, time.monotonic() - started
        )


class _Sync:
    """One sync; each method is a transaction."""

    def __init__(self, db: sqlite3.Connection, store: PassageStore, extractor: Extractor) -> None:
        self._db, self._store, self._extractor = db, store, extractor
        self._tables = Tables(db)
        self._fingerprint = extractor.fingerprint
        self.extracted = self.written = self.removed = 0
        address = read_only(store.path)
        db.execute("ATTACH ? AS store", (address,))

    def remove(self) -> None:
        """Drop what came from passages that are gone."""
        rows = [row for (row,) in self._db.execute(_GONE)]
        if not rows:
            return
        with self._db:
            touched = self._tables.drop(rows)
            self._tables.delete("DELETE FROM passages WHERE row IN ({})", rows)
            self._tables.touch(touched)
            revise(self._db)
        self.removed = len(rows)

    def pending(self, *, thorough: bool) -> list[tuple[int, str]]:
        """(row in the store, stamp) of the passages that may have to be read."""
        rows = self._db.execute(_STAMPS, (self._fingerprint, thorough))
        return [(int(row), str(stamp)) for row, stamp in rows]

    def take(self, pending: Sequence[tuple[int, str]]) -> None:
        """Read these passages and put what they say in place of what was there."""
        passages = self._store.by_rows([row for row, _ in pending])
        keys = [passage_key(passage) for passage in passages]
        known = {
            identity: (row, key, extractor)
            for identity, row, key, extractor in self._tables.select(
                "SELECT id, row, key, extractor FROM passages WHERE id IN ({})",
                [passage.id for passage in passages],
            )
        }
        stamps = [stamp for _, stamp in pending]
        fresh: list[tuple[Passage, bytes, str]] = []
        moved: list[tuple[str, str, int]] = []
        for passage, key, stamp in zip(passages, keys, stamps, strict=True):
            row, old_key, made_by = known.get(passage.id, (None, b"", ""))
            if row is not None and (bytes(old_key), made_by) == (key, self._fingerprint):
                moved.append((stamp, passage.document_id, row))
            else:
                fresh.append((passage, key, stamp))
        data = self._read(fresh)  # before the transaction: it can take long
        with self._db:
            self._db.executemany(
                "UPDATE passages SET stamp = ?, document_id = ? WHERE row = ?", moved
            )
            if fresh:
                self._replace(fresh, data, [known[p.id][0] for p, _, _ in fresh if p.id in known])
                revise(self._db)

    def finish(self, generation: str) -> int:
        """Drop cached extractions without a passage, what of the person's layer has lost its
        ground, and note that all is done; returns how many promoted facts went."""
        with self._db:
            self._db.execute(
                "DELETE FROM extractions WHERE NOT EXISTS (SELECT 1 FROM passages p "
                "WHERE p.key = extractions.key AND p.extractor = extractions.extractor)"
            )
            self._tables.settle()
            demoted = forget_lost_ground(self._db, self._store)
            before = (note(self._db, "generation"), note(self._db, "extractor"))
            if before != (generation, self._fingerprint):
                set_note(self._db, "generation", generation)
                set_note(self._db, "extractor", self._fingerprint)
            if demoted or self.written or self.removed:
                revise(self._db)
        self._db.execute("DETACH store")
        return demoted

    # -- reading passages -------------------------------------------------------------------

    def _read(self, fresh: Sequence[tuple[Passage, bytes, str]]) -> dict[bytes, bytes]:
        """Packed extractions by key; those that are new are put into the cache by `_replace`."""
        keys = list({key: None for _, key, _ in fresh})
        cached = {
            bytes(key): bytes(data)
            for key, data in self._tables.select(
                "SELECT key, data FROM extractions WHERE key IN ({}) AND extractor = ?",
                keys,
                self._fingerprint,
            )
        }
        missing = {key: passage for passage, key, _ in fresh if key not in cached}
        found: list[Extraction] = []
        if missing:
            found = self._extractor.extract([source_of(passage) for passage in missing.values()])
        self.extracted += len(missing)
        return cached | dict(zip(missing, map(packed, found), strict=True))

    def _replace(
        self,
        fresh: Sequence[tuple[Passage, bytes, str]],
        data: dict[bytes, bytes],
        old: Sequence[int],
    ) -> None:
        touched = self._tables.drop(old)
        self._db.executemany(
            "INSERT OR IGNORE INTO extractions VALUES (?, ?, ?)",
            ((self._fingerprint, key, packed_one) for key, packed_one in data.items()),
        )
        for passage, key, stamp in fresh:
            values = (passage.document_id, key, self._fingerprint, stamp)
            (row,) = self._db.execute(
                "INSERT INTO passages (id, document_id, key, extractor, stamp) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET document_id = "
                "excluded.document_id, key = excluded.key, extractor = excluded.extractor, "
                "stamp = excluded.stamp RETURNING row",
                (passage.id, *values),
            ).fetchone()
            rows = rows_of(passage, unpacked(data[key], passage.id))
            touched |= self._tables.insert(int(row), rows)
        self._tables.touch(touched)
        self.written += len(fresh)
