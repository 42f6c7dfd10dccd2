"""The search structures of one generation: made, completed, and rid of what is stale."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.carried import Carried, RowArray
from indexes.encoders import DenseEncoder, Encoders, SparseEncoder
from indexes.encoding import Encoding, encode_dense, encode_sparse
from indexes.encodings import EncodingCache
from indexes.files import storage_errors
from indexes.lexical.index import FINGERPRINT, LexicalIndex
from indexes.manifest import STORE_FILE, Manifest, Stage, now
from indexes.origins import rows_before
from indexes.progress import OnProgress, Progress
from indexes.stages import beside, build_encoded, finished_stage, intact
from indexes.store import PassageStore
from indexes.upkeep.leftovers import leftovers, remove

CACHE = "encodings.sqlite"
_ENOUGH = 64  # passages: fewer say little about how fast an encoder is


@dataclass(frozen=True, slots=True)
class Previous:
    """The generation that a new one continues, and where each new row stood in it."""

    place: Path
    manifest: Manifest
    origin: RowArray

    def carried(self, name: str, fingerprint: str, folder: str) -> Carried | None:
        """What can be taken over of a stage; None if another maker made it, or it is damaged."""
        stage = self.manifest.stages.get(name)
        if stage is None or stage.fingerprint != fingerprint or not intact(self.place, stage):
            return None
        return Carried(self.place / folder, self.origin)


def previous_of(folder: Path, old: Manifest | None, place: Path) -> Previous | None:
    """The published generation, seen from the one that is staged in `place`."""
    if old is None:
        return None
    stores = PassageStore(folder / old.generation / STORE_FILE), PassageStore(place / STORE_FILE)
    try:
        return Previous(folder / old.generation, old, rows_before(*stores))
    finally:
        for store in stores:
            store.close()


class StructureBuilder:
    """Makes the structures of generations of the index in `folder`.

    Args:
        folder: the index's folder; the cache of encodings lies in it.
        encoders: where the encoders come from; asked for one only when it is needed.
        on_progress: hears how far the work is.
    """

    def __init__(self, folder: Path, encoders: Encoders, on_progress: OnProgress) -> None:
        self.folder = folder
        self._encoders = encoders
        self._report = on_progress

    def build_lexical(
        self, place: Path, manifest: Manifest, previous: Previous | None = None
    ) -> None:
        """Index the words of the store in `place`."""
        started = time.monotonic()
        carried = previous.carried("lexical", FINGERPRINT, "lexical") if previous else None
        store = PassageStore(place / STORE_FILE)
        try:
            rows, spoken = _new_rows(store, carried), store.languages()
            with storage_errors(place), beside(place / "lexical") as target:
                texts, languages = list(store.texts(rows)), [spoken[row] for row in rows]
                LexicalIndex.build(texts, target, carried, languages)
        finally:
            store.close()
        with storage_errors(place):
            manifest.stages["lexical"] = finished_stage(place / "lexical", FINGERPRINT)
        count = manifest.passages
        self._report(Progress("lexical", count, count, "passages", time.monotonic() - started))

    def encode(
        self,
        place: Path,
        manifest: Manifest,
        *,
        publish: bool,
        previous: Previous | None = None,
        keep_encoders: bool = False,
    ) -> int:
        """Add the dense and the sparse stage where they are missing or of another encoder.

        Args:
            previous: what is taken over instead of being made again.
            keep_encoders: make only the stages that `previous` has, by the same encoders, and
                load none where all texts have been encoded: a deletion adds no text.

        Returns:
            how many texts were encoded.
        """
        store = PassageStore(place / STORE_FILE)
        cache = EncodingCache(self.folder / CACHE)
        encoded = 0
        try:
            for name in ("dense", "sparse"):
                had = previous.manifest.stages.get(name) if previous else None
                if keep_encoders and had is None:
                    continue  # it was not encoded before; a build adds it
                known = had.fingerprint if had is not None and keep_encoders else None
                work = _StageWork(name, store, cache, self._report)
                if known is None or not work.has_all(known, previous):
                    encoder = self._encoders.dense() if name == "dense" else self._encoders.sparse()
                    present = manifest.stages.get(name)
                    if present is not None and present.fingerprint == encoder.fingerprint:
                        continue
                    encoded += work.encode(encoder, previous)
                target = place / f"{name}-{work.fingerprint}"
                with storage_errors(place):
                    build_encoded(name, work.results(), work.dimensions, target, work.carried)
                    manifest.stages[name] = finished_stage(target, work.fingerprint, work.rate(had))
                    if publish:
                        manifest.updated = now()
                        manifest.write(self.folder)
        finally:
            cache.close()
            store.close()
        return encoded

    def forget_stale(self, manifest: Manifest) -> None:
        """Encodings of texts that are no longer in the index leave with them; so does what lies
        beside the published generation, or in it, and is of no use: `leftovers`."""
        remove(leftovers(self.folder, manifest))  # open readers keep what they have mapped
        store = PassageStore(self.folder / manifest.generation / STORE_FILE)
        keys = set(_as_bytes(store.keys()))
        store.close()
        cache = EncodingCache(self.folder / CACHE)
        # While a stage is missing, the encodings of its encoder are what a resumed build needs.
        complete = not manifest.missing_stages
        cache.keep_only(
            {s.fingerprint for s in manifest.stages.values()} if complete else None, keys
        )
        cache.close()


class _StageWork:
    """One encoded stage of one generation: what is taken over, what is encoded, what comes out."""

    def __init__(
        self, name: str, store: PassageStore, cache: EncodingCache, on_progress: OnProgress
    ) -> None:
        self.fingerprint = ""
        self.dimensions: int | None = None
        self.carried: Carried | None = None
        self._name, self._store, self._cache = name, store, cache
        self._report = on_progress
        self._keys: list[bytes] = []
        self._rate = 0.0

    def has_all(self, fingerprint: str, previous: Previous | None) -> bool:
        """Whether an encoder's stage can be made without that encoder."""
        self._look(fingerprint, previous)
        return not self._cache.missing(fingerprint, self._keys)

    def encode(self, encoder: DenseEncoder | SparseEncoder, previous: Previous | None) -> int:
        """Encode what is neither taken over nor in the cache; returns how many texts."""
        rows = self._look(encoder.fingerprint, previous)
        self.dimensions = encoder.dimensions
        texts = list(self._store.texts(rows))
        work = Encoding(self._cache, self.fingerprint, texts, self._keys, self._report, self._name)
        started = time.monotonic()
        count = work.run((encode_dense if self._name == "dense" else encode_sparse)(encoder))
        if count >= _ENOUGH:
            self._rate = count / max(time.monotonic() - started, 1e-6)
        return count

    def results(self) -> Iterator[bytes]:
        """The packed encodings of the new rows, in their order."""
        yield from self._cache.results(self.fingerprint, self._keys)

    def rate(self, had: Stage | None) -> float:
        """Passages a second, of this time or else of the last."""
        return round(self._rate or (had.rate if had else 0.0), 2)

    def _look(self, fingerprint: str, previous: Previous | None) -> RowArray:
        self.fingerprint = fingerprint
        folder = f"{self._name}-{fingerprint}"
        self.carried = previous.carried(self._name, fingerprint, folder) if previous else None
        rows = _new_rows(self._store, self.carried)
        self._keys = _as_bytes(self._store.keys()[rows])
        return rows


def _new_rows(store: PassageStore, carried: Carried | None) -> RowArray:
    if carried is not None:
        return carried.new
    return np.arange(store.passage_count, dtype=np.int64)


def _as_bytes(keys: np.ndarray) -> list[bytes]:
    return [key.tobytes() for key in np.ascontiguousarray(keys)]
