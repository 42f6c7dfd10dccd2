"""Building an index: stage, encode, verify, publish.

The order of a first build is: read → lexical → publish → dense → publish → sparse → publish, so
lexical search answers after seconds while encoding goes on. An update of a complete index is
published once, when every stage is ready; until then readers see the old one. A build that was
killed goes on where it stopped: what was read is in the staging folder, what was encoded is in
the cache.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from indexes.changes import Changes, item_of, survey
from indexes.chunking import Chunker
from indexes.companions import Companion, follow_all
from indexes.documents import Source
from indexes.encoders import Encoders
from indexes.errors import (
    IndexingError,
    IndexNotFoundError,
    UnknownNameError,
    UsageError,
)
from indexes.files import sha256_of, storage_errors
from indexes.locking import writer_lock
from indexes.manifest import (
    MANIFEST,
    STORE_FILE,
    Manifest,
    check_name,
    read_manifest,
    read_remains,
)
from indexes.planning import Plan, cost_of
from indexes.progress import OnProgress, Progress
from indexes.publishing import BuildResult, Publisher
from indexes.staging import Staging
from indexes.store import PassageStore
from indexes.structures import CACHE, StructureBuilder
from indexes.upkeep.leftovers import leftovers, remove
from indexes.upkeep.migrating import copy_older, read_older
from indexes.upkeep.repair import Mending, Repaired


class IndexWriter:
    """The one writer of the index in `folder`.

    Args:
        folder: `…/indexes/NAME`; made when missing.
        encoders: where the encoders come from.
        companions: follow the index after each change, under its lock.
        on_progress: hears how far the work is, several times a second at most.
    """

    def __init__(
        self,
        folder: Path,
        encoders: Encoders,
        *,
        chunker: Chunker | None = None,
        companions: Sequence[Companion] = (),
        on_progress: OnProgress = lambda progress: None,
    ) -> None:
        check_name(folder.name)
        self.folder = folder
        self._encoders = encoders
        self._structures = StructureBuilder(folder, encoders, on_progress)
        self._chunker = chunker or Chunker()
        self._publisher = Publisher(folder, self._structures, self._chunker.fingerprint)
        self._companions = tuple(companions)
        self._report = on_progress

    # -- commands ---------------------------------------------------------------------------

    def build(
        self, sources: Sequence[Source], *, fresh: bool = False, put_back: Iterable[str] = ()
    ) -> BuildResult:
        """Make the index hold exactly the documents of `sources`.

        Whatever happens, the published index stays in force until the new one is ready; an index
        that is damaged is built anew from its sources.

        Args:
            fresh: read and encode everything again, whatever is there.
            put_back: uris of documents that were deleted and shall be read again.

        Raises:
            IndexLockedError: another process is writing it.
            ModelMissingError: an encoder's weights are missing; lexical search works by then.
            StorageError: no space, no rights; what was there before is still there.
        """
        if not sources:
            raise UsageError("no source given", remedy="add --from FOLDER")
        with writer_lock(self.folder):
            # A file that is named by itself is wanted, whatever was deleted before.
            wanted = {*put_back, *(source.spec for source in sources)}
            excluded = set(read_remains(self.folder).excluded) - wanted
            built = self._rebuild(self._usable(), list(sources), excluded, fresh=fresh)
            return self._followed(built)

    def update(self, open_source: Callable[[str], Source]) -> BuildResult:
        """Read the index's own sources again and take over what is new, changed or gone."""
        with writer_lock(self.folder):
            manifest = read_manifest(self.folder)
            sources = [open_source(spec) for spec in manifest.sources]
            built = self._rebuild(self._usable(), sources, set(manifest.excluded))
            return self._followed(built)

    def complete(self) -> BuildResult:
        """Make what is missing, damaged or of another encoder; documents stay as they are.

        What is published answers until the new structure takes its place.
        """
        started = time.monotonic()
        with writer_lock(self.folder):
            manifest = read_manifest(self.folder)
            encoded = self._publisher.complete(manifest)
            seconds = time.monotonic() - started
            unchanged = Changes(unchanged=manifest.documents)
            return self._followed(BuildResult(unchanged, manifest, encoded, seconds))

    def plan(self, sources: Sequence[Source]) -> Plan:
        """What `build` with these sources would change and cost. Writes nothing."""
        old = self._usable()
        if old is None:
            pending = survey(sources, None, set(read_remains(self.folder).excluded))
        else:
            store = self._open_store(old)
            pending = survey(sources, store, set(old.excluded), old.failures)
            store.close()
        cost = cost_of(pending.to_read, self._chunker, self._encoders, self.folder, old)
        return Plan(pending.changes, cost)

    def upgrade(self) -> BuildResult:
        """Bring an index of an older format to the present one, from its own truth.

        Raises:
            UsageError: it has the present format.
            IndexFormatError, IndexCorruptError: it cannot be upgraded; it stays as it is.
        """
        started = time.monotonic()
        with writer_lock(self.folder):
            old = read_older(self.folder)
            staging = Staging(self.folder, self._chunker, None, same_chunker=False, reuse=False)
            store = self.folder / old.generation / STORE_FILE
            staging.changes.unchanged = copy_older(store, staging.store)
            staging.changes.failures = old.failures
            staging.finish()
            manifest = self._publisher.manifest_for(staging, old, old.sources, set(old.excluded))
            manifest.chunker = old.chunker
            # Published when complete: until then the older version can still read the old one.
            return self._followed(
                self._publisher.publish_all(staging, old, manifest, started, carry_from=None)
            )

    def delete_documents(self, wanted: Iterable[str]) -> BuildResult:
        """Take documents out, by id or uri, and keep them out at later updates.

        Raises:
            UnknownNameError: there is no such document; nothing is deleted then.
        """
        started = time.monotonic()
        with writer_lock(self.folder):
            old = read_manifest(self.folder)
            remove(leftovers(self.folder, old))  # what a killed deletion left is to go, too
            store = self._open_store(old)
            by_name = {name: d for d in store.documents() for name in (d.id, d.uri)}
            for name in wanted:
                if name not in by_name:
                    raise UnknownNameError("document", name, by_name)
            gone = {by_name[name].id: by_name[name].uri for name in wanted}
            staging = Staging(self.folder, self._chunker, store, same_chunker=True)
            staging.keep_all_but(set(gone))
            staging.finish()
            manifest = self._publisher.manifest_for(
                staging, old, old.sources, {*old.excluded, *gone.values()}
            )
            manifest.chunker = old.chunker
            manifest.failures = old.failures
            done = self._publisher.publish_all(
                staging, old, manifest, started, carry_from=old, keep_encoders=True
            )
            return self._followed(done)

    def read_documents(
        self, wanted: Iterable[str], open_source: Callable[[str], Source]
    ) -> BuildResult:
        """Read these documents of the index again, by id or uri, and nothing else.

        A document that cannot be read any more stays as it was, and is listed as a failure.

        Raises:
            UnknownNameError: there is no such document; nothing is read then.
        """
        started = time.monotonic()
        with writer_lock(self.folder):
            old = read_manifest(self.folder)
            remove(leftovers(self.folder, old))
            store = self._open_store(old)
            by_name = {name: d for d in store.documents() for name in (d.id, d.uri)}
            items = {}
            for name in wanted:
                if name not in by_name:
                    raise UnknownNameError("document", name, by_name)
                document = by_name[name]
                items[document.uri] = item_of(open_source(document.source), document.uri)
            staging = Staging(self.folder, self._chunker, store, same_chunker=True, reuse=False)
            staging.read_again(items)
            staging.finish()
            manifest = self._publisher.manifest_for(staging, old, old.sources, set(old.excluded))
            manifest.chunker = old.chunker
            others = [failure for failure in old.failures if failure.uri not in items]
            manifest.failures = [*others, *staging.changes.failures]
            done = self._publisher.publish_all(
                staging, old, manifest, started, carry_from=old, keep_encoders=True
            )
            return self._followed(done)

    def repair(self, open_source: Callable[[str], Source]) -> Repaired:
        """Mend what is damaged, from the stored documents where they are intact and from the
        sources where not; see `indexes.upkeep.repair`.

        Raises:
            IndexNotFoundError: there is nothing to mend.
        """
        with writer_lock(self.folder):
            complete = self._publisher.complete
            mending = Mending(self.folder, self._encoders, complete, self._read_again)
            repaired = mending.run(open_source, self._chunker)
            notes = follow_all(self._companions, self.folder, read_manifest(self.folder))
            return replace(repaired, done=(*repaired.done, *notes))

    def delete_index(self) -> None:
        """Remove the whole index.

        Raises:
            IndexNotFoundError: there is none.
        """
        if not self.folder.is_dir():
            raise IndexNotFoundError(f"there is no index '{self.folder.name}'")
        with writer_lock(self.folder), storage_errors(self.folder):
            (self.folder / MANIFEST).unlink(missing_ok=True)  # first: nobody opens it now
            self._clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- the work ---------------------------------------------------------------------------

    def _rebuild(
        self,
        old: Manifest | None,
        sources: list[Source],
        excluded: set[str],
        *,
        fresh: bool = False,
    ) -> BuildResult:
        started = time.monotonic()
        if old is not None:
            remove(leftovers(self.folder, old))
        published = self._open_store(old) if old else None
        same = old is not None and old.chunker == self._chunker.fingerprint and not fresh
        staging = Staging(self.folder, self._chunker, published, same_chunker=same, reuse=not fresh)
        staging.read(
            sources,
            excluded,
            lambda done: self._report(
                Progress("read", done, None, "documents", time.monotonic() - started)
            ),
        )
        if fresh:
            (self.folder / CACHE).unlink(missing_ok=True)
        specs = [source.spec for source in sources]
        unchanged = old is not None and same and not staging.changes
        if old is not None and unchanged and (specs, excluded) == (old.sources, set(old.excluded)):
            staging.discard()
            old.failures = staging.changes.failures
            encoded = self._publisher.complete(old)
            return BuildResult(staging.changes, old, encoded, time.monotonic() - started)
        staging.finish()
        manifest = self._publisher.manifest_for(staging, old, specs, excluded)
        carry_from = None if fresh else old
        return self._publisher.publish_all(staging, old, manifest, started, carry_from=carry_from)

    def _read_again(self, sources: list[Source], excluded: set[str], chunker: Chunker) -> int:
        writer = IndexWriter(self.folder, self._encoders, chunker=chunker, on_progress=self._report)
        return writer._rebuild(None, sources, excluded).encoded

    def _followed(self, result: BuildResult) -> BuildResult:
        started = time.monotonic()
        notes = follow_all(self._companions, self.folder, result.manifest)
        seconds = result.seconds + time.monotonic() - started
        return replace(result, notes=notes, seconds=seconds)

    # -- small things -----------------------------------------------------------------------

    def _usable(self) -> Manifest | None:
        """The published manifest if its documents can be relied on, else None: build anew."""
        try:
            manifest = read_manifest(self.folder)
            store = self.folder / manifest.generation / STORE_FILE
            return manifest if sha256_of(store) == manifest.store_checksum else None
        except (IndexingError, OSError):
            return None

    def _open_store(self, manifest: Manifest) -> PassageStore:
        return PassageStore(self.folder / manifest.generation / STORE_FILE)

    def _clear(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "writer.lock":
                path.unlink()
