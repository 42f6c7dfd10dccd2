"""From a staged store to a published generation: indexed, encoded, published in one step."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from indexes.changes import Changes
from indexes.files import sha256_of, storage_errors
from indexes.manifest import STORE_FILE, Manifest, generation_after, now
from indexes.stages import intact
from indexes.staging import MADE_BY, Staging
from indexes.store import PassageStore
from indexes.structures import StructureBuilder, previous_of


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did. `encoded` counts texts that were not in the cache; `notes` are what the
    companions had to say, failures above all."""

    changes: Changes
    manifest: Manifest
    encoded: int
    seconds: float
    notes: tuple[str, ...] = ()


class Publisher:
    """Publishes generations of the index in `folder`; its writer's lock is held."""

    def __init__(self, folder: Path, structures: StructureBuilder, chunker: str) -> None:
        self.folder = folder
        self._structures = structures
        self._chunker = chunker

    def complete(self, manifest: Manifest) -> int:
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

    def manifest_for(
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
                chunker=self._chunker,
                store_checksum=sha256_of(path),
                excluded=sorted(excluded),
                failures=staging.changes.failures,
                created=old.created if old else now(),
            )
        finally:
            store.close()

    def publish_all(
        self,
        staging: Staging,
        old: Manifest | None,
        manifest: Manifest,
        started: float,
        *,
        carry_from: Manifest | None,
        keep_encoders: bool = False,
    ) -> BuildResult:
        """Index and encode the staged store, then publish it and drop what it replaces."""
        previous = previous_of(self.folder, carry_from, staging.path)
        self._structures.build_lexical(staging.path, manifest, previous)
        early = old is None or bool(old.missing_stages)
        place = self._publish(staging.path, manifest) if early else staging.path
        try:
            encoded = self._structures.encode(
                place, manifest, publish=early, previous=previous, keep_encoders=keep_encoders
            )
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
            (place / MADE_BY).unlink(missing_ok=True)
            manifest.updated = now()
            manifest.write(self.folder)
        return place
