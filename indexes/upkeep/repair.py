"""Mending an index: from its stored documents where they are intact, from its sources where not.

manifest lost or damaged    the copy in the newest generation whose documents are intact; where
                            there is no copy, what the store itself says
structure damaged, missing  made again from the store and the cache of encodings
cache damaged               made anew; the structures keep what they have
leftovers of killed writers removed
store damaged               read again from the sources; a document that its source no longer
                            gives is saved from the damaged store where it can be read there
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexes.chunking import Chunker
from indexes.documents import Source
from indexes.encoders import Encoders
from indexes.errors import (
    IndexCorruptError,
    IndexFormatError,
    IndexNotFoundError,
    KnowledgeAssistantError,
)
from indexes.files import sha256_of, storage_errors
from indexes.manifest import MANIFEST, STORE_FILE, Manifest, read_manifest
from indexes.stages import intact
from indexes.structures import CACHE
from indexes.upkeep.leftovers import STAGING, leftovers, remove
from indexes.upkeep.remains import manifest_of_store, scattered
from indexes.upkeep.rescue import AsBefore, Rescued, RescuedSource, rescue
from indexes.upkeep.verify import Finding, check_cache, check_store, verify


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found, did, could not bring back, and found afterwards."""

    before: tuple[Finding, ...]
    after: tuple[Finding, ...]
    done: tuple[str, ...]
    lost: tuple[str, ...]
    encoded: int

    @property
    def ok(self) -> bool:
        """Whether every check passes now."""
        return all(finding.ok for finding in self.after)


class Mending:
    """One repair of the index in `folder`, whose writer's lock is held.

    Args:
        complete: adds to a published generation the stages that its manifest lacks; returns how
            many texts were encoded.
        read_again: builds the index from these sources alone, without these uris, with this
            chunker; returns how many texts were encoded.
    """

    def __init__(
        self,
        folder: Path,
        encoders: Encoders,
        complete: Callable[[Manifest], int],
        read_again: Callable[[list[Source], set[str], Chunker], int],
    ) -> None:
        self.folder = folder
        self._encoders = encoders
        self._complete, self._read_again = complete, read_again
        self._done: list[str] = []
        self._lost: list[str] = []

    def run(self, open_source: Callable[[str], Source], chunker: Chunker) -> Repaired:
        """Mend what can be mended.

        Raises:
            IndexNotFoundError: there is no index and nothing that one could be made of.
            IndexFormatError: another version wrote it.
            IndexCorruptError: its documents are lost and its sources are not known.
            ModelMissingError: an encoder is needed that is not installed.
        """
        before = verify(self.folder, self._encoders, writing=True)
        self._mend_cache()
        manifest = self._manifest()
        if self._store_intact(manifest):
            encoded = self._mend_structures(manifest)
        else:
            encoded = self._mend_store(manifest, open_source, chunker)
        self._sweep()
        after = verify(self.folder, self._encoders, writing=True)
        return Repaired(tuple(before), tuple(after), tuple(self._done), tuple(self._lost), encoded)

    def _mend_cache(self) -> None:
        try:
            check_cache(self.folder)
        except KnowledgeAssistantError:
            with storage_errors(self.folder):
                remove(sorted(self.folder.glob(f"{CACHE}*")))
            self._done.append(f"{CACHE} is made anew")

    # -- the manifest -----------------------------------------------------------------------

    def _manifest(self) -> Manifest:
        try:
            return read_manifest(self.folder)
        except IndexNotFoundError:
            damage = "is missing"
        except IndexFormatError as error:
            damage = error.message
        except IndexCorruptError:
            damage = "is damaged"
        generations = sorted(self.folder.glob("g[0-9]*"), reverse=True)
        found = self._from_copy(generations) or self._from_store(generations)
        if found is None:
            raise IndexCorruptError(
                f"{MANIFEST} {damage} and no generation of '{self.folder.name}' is intact",
                remedy=f"build it anew: assistant index build {self.folder.name} --from FOLDER",
            )
        found.write(self.folder)
        return found

    def _from_copy(self, generations: list[Path]) -> Manifest | None:
        copies = []
        for place in generations:
            try:
                copy = read_manifest(place)
            except KnowledgeAssistantError:
                continue
            if copy.generation == place.name:
                copies.append(copy)
        # The newest with its documents; failing that the newest, whose sources at least are known.
        best = next((c for c in copies if self._store_intact(c)), copies[0] if copies else None)
        if best is not None:
            self._done.append(f"{MANIFEST} is put back from its copy in {best.generation}/")
        return best

    def _from_store(self, generations: list[Path]) -> Manifest | None:
        known = scattered(self.folder / MANIFEST)
        for place in generations:
            try:
                documents, passages = check_store(place / STORE_FILE)
            except KnowledgeAssistantError:
                continue
            found = manifest_of_store(place, documents, passages, known)
            self._done.append(f"{MANIFEST} is written anew from what {place.name}/ holds")
            if "excluded" not in known:
                self._lost.append(
                    "which documents had been deleted: an update may read them again if they are "
                    "still in a source"
                )
            return found
        return None

    # -- the documents ----------------------------------------------------------------------

    def _store_intact(self, manifest: Manifest) -> bool:
        path = self.folder / manifest.generation / STORE_FILE
        try:
            return sha256_of(path) == manifest.store_checksum
        except OSError:
            return False

    def _mend_store(
        self, manifest: Manifest, open_source: Callable[[str], Source], chunker: Chunker
    ) -> int:
        path = self.folder / manifest.generation / STORE_FILE
        rescued = rescue(path)
        sources: list[Source] = []
        for spec in manifest.sources:
            source = None
            try:
                source = open_source(spec)
            except KnowledgeAssistantError as error:
                self._done.append(f"source {spec} cannot be read again: {error.message}")
            sources.append(RescuedSource(spec, source, rescued))
        encoded = self._read_again(sources, set(manifest.excluded), AsBefore(chunker, rescued))
        self._note_rescued(manifest, rescued)
        return encoded

    def _note_rescued(self, before: Manifest, rescued: dict[str, Rescued]) -> None:
        now = read_manifest(self.folder)
        used = [one for one in rescued.values() if one.used]
        self._done.append(
            f"{now.documents - len(used)} documents were read again from their sources"
        )
        if used:
            self._done.append(f"{len(used)} were saved from the damaged {STORE_FILE}")
        doubtful = [one.uri for one in used if not one.certain]
        if doubtful:
            self._lost.append(
                "the certainty that every character is right in "
                f"{_listed(doubtful)}: they could be read, but not compared with a checksum"
            )
        if now.documents < before.documents:
            self._lost.append(
                f"{before.documents - now.documents} of {before.documents} documents: their source "
                f"does not give them any more and {STORE_FILE} is damaged where they were"
            )

    # -- the structures ---------------------------------------------------------------------

    def _mend_structures(self, manifest: Manifest) -> int:
        place = self.folder / manifest.generation
        whole = {name: s for name, s in manifest.stages.items() if intact(place, s)}
        damaged = [name for name in manifest.stages if name not in whole]
        copied = _same_copy(place, manifest)
        if damaged or not copied:
            manifest.stages = whole
            manifest.write(self.folder)
        if damaged:
            # Gone before they are made again: an open reader keeps the files it has mapped.
            self._sweep_structures(manifest)
            self._done.append(f"made again: {', '.join(damaged)}")
        if not copied:
            self._done.append("the copy of the manifest is put back")
        return self._complete(manifest)

    def _sweep_structures(self, manifest: Manifest) -> None:
        place = self.folder / manifest.generation
        with storage_errors(place):
            remove([path for path in leftovers(self.folder, manifest) if path.parent == place])

    def _sweep(self) -> None:
        manifest = read_manifest(self.folder)
        found = leftovers(self.folder, manifest)
        if (self.folder / STAGING).exists():
            found.append(self.folder / STAGING)
        if found:
            with storage_errors(self.folder):
                remove(found)
            names = ", ".join(str(path.relative_to(self.folder)) for path in found)
            self._done.append(f"removed what killed writers left: {names}")


def _same_copy(place: Path, manifest: Manifest) -> bool:
    try:
        return read_manifest(place) == manifest
    except KnowledgeAssistantError:
        return False


def _listed(names: list[str], most: int = 10) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
