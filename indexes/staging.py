"""Reading sources into a staged store, parsing only what is new or changed.

Documents come from three places, cheapest first: the published generation, what an interrupted
build had already read, the source itself.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from indexes.changes import Changes
from indexes.chunking import Chunker
from indexes.documents import Document, Entry, ReadFailure, Source
from indexes.errors import IndexCorruptError, ReadError, StorageError
from indexes.files import storage_errors
from indexes.manifest import FORMAT, STORE_FILE
from indexes.staged_store import StagedStore
from indexes.store import PassageStore

_COMMIT_SECONDS = 2.0
MADE_BY = "chunker"  # a file: by which format and chunker a staged store was made
_BATCH = 1000  # unchanged documents copied at once


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
        self._made_by = f"{FORMAT} {chunker.fingerprint}"
        self._leftover = self._take_leftover(folder)
        # Copied from as they are, or only where a document cannot be read any more.
        donors = [store for store in (published, self._leftover) if store is not None]
        reusable = [published if same_chunker else None, self._leftover] if reuse else []
        self._reusable = [
            (donors.index(donor), donor.fingerprints()) for donor in reusable if donor is not None
        ]
        with storage_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / MADE_BY).write_text(self._made_by)
        self.store = StagedStore(self.path / STORE_FILE, donors)
        self._pending: tuple[int, list[tuple[str, str]]] = (0, [])
        self._ids: set[str] = set()
        self._kept: set[str] = set()
        self._new: dict[str, str] = {}
        self._committed = time.monotonic()

    def _take_leftover(self, folder: Path) -> PassageStore | None:
        """What an interrupted build had read, if it can still be used."""
        old = folder / "leftover.sqlite"
        staged = self.path / STORE_FILE
        try:
            if (self.path / MADE_BY).read_text() == self._made_by:
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
        try:
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
        except BaseException:
            # An open transaction would roll back later, into the next build's files.
            self.store.close()
            raise
        before = {uri: fingerprint for uri, (fingerprint, _) in known.items()}
        self.changes.settle(set(known) - seen - self._kept, before, self._new)
        self._commit()

    def keep_all_but(self, document_ids: set[str]) -> None:
        """Stage the published documents without those of `document_ids`."""
        assert self._published is not None
        for document_id, uri, source in self._published.in_order():
            if document_id in document_ids:
                self.changes.removed.append(uri)
            else:
                self._take(0, document_id, source)
                self.changes.unchanged += 1
        self._commit()

    def read_again(self, items: Mapping[str, Entry | ReadFailure]) -> None:
        """Stage the published documents, those of `items` (by uri) read anew, in their order."""
        assert self._published is not None
        known = self._published.fingerprints()
        for document_id, uri, source in self._published.in_order():
            if uri in items:
                self._stage(items[uri], source, known)
            elif document_id not in self._ids:  # a failure above it may have kept it already
                self._take(0, document_id, source)
                self.changes.unchanged += 1
        self._commit()

    def _take(self, donor: int, document_id: str, spec: str) -> None:
        """Copy a document from a donor, with its neighbours when there are enough of them."""
        pending_donor, pending = self._pending
        if pending and (pending_donor != donor or len(pending) >= _BATCH):
            self._flush()
            pending = []
        pending.append((document_id, spec))
        self._pending = (donor, pending)
        self._ids.add(document_id)

    def _flush(self) -> None:
        donor, pending = self._pending
        if pending:
            self.store.copy(donor, pending)
            self._pending = (0, [])

    def _commit(self) -> None:
        self._flush()
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
            self._new[item.uri] = item.fingerprint
        if time.monotonic() - self._committed > _COMMIT_SECONDS:
            self._commit()
            self._committed = time.monotonic()

    def _copy(self, item: Entry, spec: str) -> bool:
        for donor, fingerprints in self._reusable:
            fingerprint, document_id = fingerprints.get(item.uri, ("", ""))
            if fingerprint == item.fingerprint and document_id not in self._ids:
                self._take(donor, document_id, spec)
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
        self._flush()
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
                self._take(0, document_id, spec)
                self._kept.add(uri)
                self.changes.unchanged += 1

    def finish(self) -> None:
        """Make sure that the staged store is on the disk."""
        self._commit()
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
