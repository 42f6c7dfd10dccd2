"""What adapting leaves beside an index goes with the texts that it was made of."""

from __future__ import annotations

from pathlib import Path

from assistant.adapting.installed import FOLDER, KEPT_VECTORS
from assistant.adapting.work import WorkFolder, adapting_lock, keys_of
from assistant.errors import IndexLockedError
from assistant.knowledge.store import KnowledgeStore
from indexes.encodings import EncodingCache
from indexes.manifest import STORE_FILE, Manifest
from indexes.store import PassageStore


class AdaptingCompanion:
    """Lets questions, runs and kept vectors go (see `indexes.companions.Companion`).

    Data and runs quote passages: once one of these is no longer in the index, all of them go. While
    an adaptation is at work its files stay; it calls `let_go` itself when it ends.
    """

    def follow(self, folder: Path, manifest: Manifest) -> tuple[str, ...]:
        """See `indexes.companions.Companion`."""
        if not WorkFolder(folder).path.is_dir() and not (folder / FOLDER).is_dir():
            return ()
        try:
            with adapting_lock(folder):
                return let_go(folder, manifest)
        except IndexLockedError:
            return ()


def let_go(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """Remove what quotes passages that are not published any more; what was removed, in words."""
    store = PassageStore(folder / manifest.generation / STORE_FILE)
    try:
        keys = set(keys_of(store))
        work = WorkFolder(folder)
        if (taught := KnowledgeStore(work.taught)).exists:
            taught.follow(store, manifest.generation)
    finally:
        store.close()
    kept = folder / FOLDER / KEPT_VECTORS
    if kept.is_file():
        cache = EncodingCache(kept)
        try:
            cache.keep_only(None, keys)
        finally:
            cache.close()
    if work.quoted() <= keys:
        return ()
    work.clear()
    return ("questions and runs of `distill adapt` left with passages that they quoted",)
