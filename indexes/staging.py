"""Reading sources into a staged store, parsing only what is new or changed.

Documents come from three places, cheapest first: the published generation, what an interrupted
build had already read, the source itself.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from indexes.chunking import Chunker
from indexes.documents import Document, Entry, ReadFailure, Source
from indexes.errors import IndexCorruptError, ReadError, StorageError
from indexes.files import storage_errors
from indexes.store import PassageStore

_COMMIT_SECONDS = 2.0
STORE_FILE = "passages.sqlite"


@dataclass(slots=True)
class Changes:
    """What a build does, or would do, to the documents of an index (uris)."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    failures: list[ReadFailure] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # deleted before, and kept out

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def plan(
    sources: Iterable[Source],
    published: PassageStore | None,
    excluded: set[str],
    failed: Iterable[ReadFailure] = (),
) -> Changes:
    """What `Staging.read` would change, without parsing or writing anything.

    Items that could not be read last time (`failed`) would be tried again and are listed as
    failures, not as new.
    """
    failures = {failure.uri: failure for failure in failed}
    known = published.fingerprints() if published else {}
    changes, seen = Changes(), set(excluded)
    for source in sources:
        for item in source.entries():
            if item.uri in seen:
                continue
            seen.add(item.uri)
            if isinstance(item, ReadFailure):
                changes.failures.append(item)
            elif item.uri in failures:
                changes.failures.append(failures[item.uri])
            elif item.uri not in known:
                changes.added.append(item.uri)
            elif known[item.uri][0] != item.fingerprint:
                changes.changed.append(item.uri)
            else:
                changes.unchanged += 1
    unread = tuple(f"{failure.uri}/" for failure in changes.failures)
    gone = (set(known) - seen) | (set(known) & excluded)
    changes.removed = sorted(uri for uri in gone if not uri.startswith(unread))
    return changes


class Staging:
    """The next generation while it is being read, in `folder`/staging.

    Args:
        folder: the index's folder.
        chunker: cuts documents into passages; documents cut by another one are read again.
        published: the store in force, None for the first build.
        same_chunker: whether `published` was cut by an equal chunker.
        reuse: take unchanged documents over instead of reading them again.
    """

    def __init__(
        self,
        folder: Path,
        chunker: Chunker,
        published: PassageStore | None,
        *,
        same_chunker: bool,
        reuse: bool = True,
    ) -> None:
        self.path = folder / "staging"
        self.changes = Changes()
        self._chunker = chunker
        self._published = published
        leftover = self._take_leftover(folder)
        reusable = [published if same_chunker else None, leftover] if reuse else []
        self._donors = [(d, d.fingerprints()) for d in reusable if d is not None]
        self._leftover = leftover
        with storage_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / "chunker").write_text(chunker.fingerprint)
        self.store = PassageStore(self.path / STORE_FILE, create=True)
        self._ids: set[str] = set()
        self._kept: set[str] = set()
        self._committed = time.monotonic()

    def _take_leftover(self, folder: Path) -> PassageStore | None:
        """What an interrupted build had read, if it can still be used."""
        old = folder / "leftover.sqlite"
        staged = self.path / STORE_FILE
        try:
            if (self.path / "chunker").read_text() == self._chunker.fingerprint:
                journal = staged.with_name(f"{STORE_FILE}-journal")
                if journal.exists():  # killed inside a transaction: let SQLite roll it back
                    sqlite3.connect(staged).execute("SELECT count(*) FROM documents").fetchone()
                staged.replace(old)
                return PassageStore(old)
        except (OSError, sqlite3.DatabaseError, IndexCorruptError, StorageError):
            pass  # nothing left over, or not usable: read everything from the source
        finally:
            shutil.rmtree(self.path, ignore_errors=True)
        return None

    def read(
        self, sources: Iterable[Source], excluded: set[str], on_item: Callable[[int], None]
    ) -> None:
        """Stage every item of `sources` that is not excluded; `on_item` hears how many so far."""
        known = self._published.fingerprints() if self._published else {}
        seen: set[str] = set()
        for source in sources:
            for item in source.entries():
                if item.uri in seen:
                    continue
                if item.uri in excluded:
                    self.changes.left_out.append(item.uri)
                    continue
                seen.add(item.uri)
                self._stage(item, source.spec, known)
                on_item(len(seen))
        self.changes.removed = sorted(set(known) - seen - self._kept)
        self.store.commit()

    def keep_all_but(self, document_ids: set[str]) -> None:
        """Stage the published documents without those of `document_ids`."""
        assert self._published is not None
        for stored in self._published.documents():
            if stored.id in document_ids:
                self.changes.removed.append(stored.uri)
            else:
                self.store.copy_from(self._published, stored.id, source=stored.source)
                self.changes.unchanged += 1
        self.store.commit()

    def _stage(
        self, item: Entry | ReadFailure, spec: str, known: dict[str, tuple[str, str]]
    ) -> None:
        if isinstance(item, ReadFailure):
            self._fail(item, spec, known)
            return
        unchanged = item.uri in known and known[item.uri][0] == item.fingerprint
        if not self._copy(item, spec):
            try:
                document = item.load()
            except ReadError as error:
                self._fail(ReadFailure(item.uri, error.message, error.remedy), spec, known)
                return
            except Exception as error:  # noqa: BLE001 - parsers raise anything on broken files
                reason = f"the reader failed: {type(error).__name__}: {str(error)[:200]}"
                self._fail(ReadFailure(item.uri, reason, "open and save it anew"), spec, known)
                return
            if not self._add(document, spec):
                return
        if unchanged:
            self.changes.unchanged += 1
        elif item.uri in known:
            self.changes.changed.append(item.uri)
        else:
            self.changes.added.append(item.uri)
        if time.monotonic() - self._committed > _COMMIT_SECONDS:
            self.store.commit()
            self._committed = time.monotonic()

    def _copy(self, item: Entry, spec: str) -> bool:
        for donor, fingerprints in self._donors:
            fingerprint, document_id = fingerprints.get(item.uri, ("", ""))
            if fingerprint == item.fingerprint and document_id not in self._ids:
                self.store.copy_from(donor, document_id, source=spec)
                self._ids.add(document_id)
                return True
        return False

    def _add(self, document: Document, spec: str) -> bool:
        if document.id in self._ids:
            reason = f"another document has the id '{document.id}'"
            self.changes.failures.append(
                ReadFailure(document.uri, reason, "put the collections into two indexes")
            )
            return False
        passages = self._chunker.split(document)
        if not passages:
            self.changes.failures.append(
                ReadFailure(document.uri, "no text", "nothing to do if the file is meant so")
            )
            return False
        self._ids.add(document.id)
        self.store.add(document, passages, source=spec)
        return True

    def _fail(self, failure: ReadFailure, spec: str, known: dict[str, tuple[str, str]]) -> None:
        """Note the failure; what could be read before stays as it was then.

        A failure may stand for many documents: a folder that cannot be opened, an archive that
        is cut short. Everything below it is kept, since nothing says that it is gone.
        """
        self.changes.failures.append(failure)
        if self._published is None:
            return
        below = (f"{failure.uri}/", f"{failure.uri}#")
        # A collection that is cut short is the whole source; its passages have uris of their own.
        whole = spec.partition(":")[2] == failure.uri
        of_source = self._published.uris_of(spec) if whole else set()
        for uri, (_, document_id) in known.items():
            lost = uri == failure.uri or uri.startswith(below) or uri in of_source
            if lost and document_id not in self._ids:
                self.store.copy_from(self._published, document_id, source=spec)
                self._ids.add(document_id)
                self._kept.add(uri)
                self.changes.unchanged += 1

    def finish(self) -> None:
        """Make sure that the staged store is on the disk."""
        self.store.commit()
        self.store.close()
        with storage_errors(self.path), (self.path / STORE_FILE).open("rb") as file:
            os.fsync(file.fileno())
        self._drop_leftover()

    def discard(self) -> None:
        """Nothing changed: remove what was staged."""
        self.store.close()
        shutil.rmtree(self.path, ignore_errors=True)
        self._drop_leftover()

    def _drop_leftover(self) -> None:
        if self._leftover is not None:
            self._leftover.close()
            self._leftover.path.unlink(missing_ok=True)
