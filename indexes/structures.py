"""The search structures of one generation: made, completed, and rid of what is stale."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from indexes import lexical
from indexes.encoders import Encoders
from indexes.encoding import Encoding, encode_dense, encode_sparse
from indexes.encodings import EncodingCache, text_key
from indexes.files import storage_errors
from indexes.manifest import Manifest, now
from indexes.progress import OnProgress, Progress
from indexes.stages import build_stage, finished_stage
from indexes.staging import STORE_FILE
from indexes.store import PassageStore

CACHE = "encodings.sqlite"


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

    def build_lexical(self, place: Path, manifest: Manifest) -> None:
        """Index the words of the store in `place`."""
        started = time.monotonic()
        texts = _texts(place)
        with storage_errors(place):
            lexical.LexicalIndex.build(texts, place / "lexical")
            manifest.stages["lexical"] = finished_stage(place / "lexical", lexical.FINGERPRINT)
        self._report(
            Progress("lexical", len(texts), len(texts), "passages", time.monotonic() - started)
        )

    def encode(
        self, place: Path, manifest: Manifest, *, publish: bool, made_by: Manifest | None = None
    ) -> int:
        """Add the dense and the sparse stage where they are missing or of another encoder.

        Args:
            made_by: take the encodings of this manifest's encoders from the cache instead of
                loading encoders: after a deletion everything that is left has been encoded.
        """
        texts = _texts(place)
        keys = [text_key(text) for text in texts]
        cache = EncodingCache(self.folder / CACHE)
        encoded = 0
        try:
            for name in ("dense", "sparse"):
                known = made_by.stages.get(name) if made_by else None
                if made_by is not None and known is None:
                    continue  # it was not encoded before; a build adds it
                if known is not None and not cache.missing(known.fingerprint, keys):
                    fingerprint, dimensions = known.fingerprint, None
                    work = Encoding(cache, fingerprint, texts, keys, self._report, name)
                else:
                    encoder = self._encoders.dense() if name == "dense" else self._encoders.sparse()
                    fingerprint, dimensions = encoder.fingerprint, encoder.dimensions
                    stage = manifest.stages.get(name)
                    if stage is not None and stage.fingerprint == fingerprint:
                        continue
                    encode = encode_dense if name == "dense" else encode_sparse
                    work = Encoding(cache, fingerprint, texts, keys, self._report, name)
                    encoded += work.run(encode(encoder))
                target = place / f"{name}-{fingerprint}"
                with storage_errors(place):
                    build_stage(name, work.results(), dimensions, target)
                    manifest.stages[name] = finished_stage(target, fingerprint)
                    if publish:
                        manifest.updated = now()
                        manifest.write(self.folder)
        finally:
            cache.close()
        return encoded

    def forget_stale(self, manifest: Manifest) -> None:
        """Encodings of texts that are no longer in the index leave with them; so do structures
        that another encoder made."""
        place = self.folder / manifest.generation
        current = {f"{name}-{stage.fingerprint}" for name, stage in manifest.stages.items()}
        for path in [*place.glob("dense-*"), *place.glob("sparse-*")]:
            if path.name not in current:
                shutil.rmtree(path, ignore_errors=True)
        keys = {text_key(text) for text in _texts(place)}
        cache = EncodingCache(self.folder / CACHE)
        # While a stage is missing, the encodings of its encoder are what a resumed build needs.
        complete = not manifest.missing_stages
        cache.keep_only(
            {s.fingerprint for s in manifest.stages.values()} if complete else None, keys
        )
        cache.close()


def _texts(place: Path) -> list[str]:
    """What is searched and encoded of every passage of a generation, by row."""
    store = PassageStore(place / STORE_FILE)
    try:
        return [passage.indexed_text for passage in store.passages()]
    finally:
        store.close()
