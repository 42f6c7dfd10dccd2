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
from dataclasses import dataclass, replace
from pathlib import Path

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
from indexes.leftovers import leftovers, remove
from indexes.locking import writer_lock
from indexes.manifest import (
    MANIFEST,
    Manifest,
    check_name,
    generation_after,
    now,
    read_manifest,
    read_remains,
)
from indexes.progress import OnProgress, Progress
from indexes.repair import Mending, Repaired
from indexes.stages import intact
from indexes.staging import STORE_FILE, Changes, Staging, plan
from indexes.store import PassageStore
from indexes.structures import CACHE, StructureBuilder


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did. `encoded` counts texts that were not in the cache; `notes` are what the
    companions had to say, failures above all."""

    changes: Changes
    manifest: Manifest
    encoded: int
    seconds: float
    notes: tuple[str, ...] = ()


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

    def plan(self, sources: Sequence[Source]) -> Changes:
        """What `build` with these sources would change. Writes nothing."""
        old = self._usable()
        if old is None:
            return plan(sources, None, set(read_remains(self.folder).excluded))
        return plan(sources, self._open_store(old), set(old.excluded), old.failures)

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
            manifest = self._manifest_for(
                staging, old, old.sources, {*old.excluded, *gone.values()}
            )
            manifest.chunker = old.chunker
            done = self._publish_all(staging, old, manifest, started, keep_encoders=True)
            return self._followed(done)

    def repair(self, open_source: Callable[[str], Source]) -> Repaired:
        """Mend what is damaged, from the stored documents where they are intact and from the
        sources where not; see `indexes.repair`.

        Raises:
            IndexNotFoundError: there is nothing to mend.
        """
        with writer_lock(self.folder):
            mending = Mending(self.folder, self._encoders, self._complete, self._read_again)
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
            encoded = self._complete(old)
            return BuildResult(staging.changes, old, encoded, time.monotonic() - started)
        staging.finish()
        manifest = self._manifest_for(staging, old, specs, excluded)
        return self._publish_all(staging, old, manifest, started)

    def _read_again(self, sources: list[Source], excluded: set[str], chunker: Chunker) -> int:
        writer = IndexWriter(self.folder, self._encoders, chunker=chunker, on_progress=self._report)
        return writer._rebuild(None, sources, excluded).encoded

    def _complete(self, manifest: Manifest) -> int:
        """Add what a generation lacks and mend what is damaged; returns how many were encoded."""
        place = self.folder / manifest.generation
        manifest.stages = {
            name: stage for name, stage in manifest.stages.items() if intact(place, stage)
        }
        if "lexical" not in manifest.stages:
            self._structures.build_lexical(place, manifest)
        manifest.write(self.folder)
        try:
            return self._structures.encode(place, manifest, publish=True)
        finally:
            self._structures.forget_stale(manifest)

    def _manifest_for(
        self, staging: Staging, old: Manifest | None, specs: list[str], excluded: set[str]
    ) -> Manifest:
        path = staging.path / STORE_FILE
        store = PassageStore(path)
        try:
            return Manifest(
                name=self.folder.name,
                generation=generation_after(self.folder),
                sources=specs,
                documents=store.document_count,
                passages=store.passage_count,
                chunker=self._chunker.fingerprint,
                store_checksum=sha256_of(path),
                excluded=sorted(excluded),
                failures=staging.changes.failures,
                created=old.created if old else now(),
            )
        finally:
            store.close()

    def _publish_all(
        self,
        staging: Staging,
        old: Manifest | None,
        manifest: Manifest,
        started: float,
        *,
        keep_encoders: bool = False,
    ) -> BuildResult:
        """Index and encode the staged store, then publish it and drop what it replaces."""
        self._structures.build_lexical(staging.path, manifest)
        early = old is None or bool(old.missing_stages)
        place = self._publish(staging.path, manifest) if early else staging.path
        try:
            made_by = old if keep_encoders else None
            encoded = self._structures.encode(place, manifest, publish=early, made_by=made_by)
            if not early:
                self._publish(staging.path, manifest)
        finally:
            if (self.folder / manifest.generation).is_dir():
                self._structures.forget_stale(manifest)
        return BuildResult(staging.changes, manifest, encoded, time.monotonic() - started)

    def _publish(self, staged: Path, manifest: Manifest) -> Path:
        place = self.folder / manifest.generation
        with storage_errors(self.folder):
            staged.replace(place)
            manifest.updated = now()
            manifest.write(self.folder)
        for stale in self.folder.glob("g[0-9]*"):
            if stale != place:  # open readers keep the files they have mapped
                shutil.rmtree(stale, ignore_errors=True)
        return place

    def _followed(self, result: BuildResult) -> BuildResult:
        started = time.monotonic()
        remove(leftovers(self.folder, result.manifest))
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
