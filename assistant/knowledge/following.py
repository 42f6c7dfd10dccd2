"""Keeping the store in step with its index, and its entries searchable."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path

from assistant.knowledge.schema import ENTRIES_FOLDER, KNOWLEDGE_FILE, reading
from assistant.knowledge.source import EntrySource
from assistant.knowledge.store import KnowledgeStore
from indexes.build import IndexWriter
from indexes.encoders import Encoders, EncodersOfQueries
from indexes.errors import IndexNotFoundError, KnowledgeAssistantError, ModelMissingError
from indexes.files import storage_errors
from indexes.locking import writer_lock
from indexes.manifest import STORE_FILE, Manifest, read_manifest
from indexes.progress import OnProgress
from indexes.store import PassageStore


class KnowledgeCompanion:
    """Lets entries go with their passages (see `indexes.companions.Companion`).

    An index without a store is left alone: only `assistant knowledge build` makes one.

    Args:
        encoders: encode the entries that are searched.
        on_progress: hears of their stages.
    """

    def __init__(self, encoders: Encoders, on_progress: OnProgress) -> None:
        self._encoders, self._report = encoders, on_progress

    def follow(self, folder: Path, manifest: Manifest) -> tuple[str, ...]:
        """See `indexes.companions.Companion`."""
        if not (folder / KNOWLEDGE_FILE).is_file():
            return ()
        gone = follow_index(folder, manifest)
        # Also what a killed process had left to do: a text that is gone may not stay searchable.
        if not KnowledgeStore(folder).published:
            publish_entries(folder, self._encoders, self._report)
        if not gone:
            return ()
        return (f"{gone:,} prepared questions and statements left with their passages",)


def follow_index(folder: Path, manifest: Manifest) -> int:
    """Take out of the store what the published passages no longer say; how many entries went."""
    store = PassageStore(folder / manifest.generation / STORE_FILE)
    try:
        return KnowledgeStore(folder).follow(store, manifest.generation)
    finally:
        store.close()


def publish_entries(
    folder: Path, encoders: Encoders, on_progress: OnProgress = lambda progress: None
) -> int:
    """Make the searchable entries those of the store; returns how many there are.

    Published in one step; nothing of an entry that is gone stays in any file.

    Raises:
        IndexLockedError, StorageError: as `IndexWriter.build`; what was searchable before still is.
    """
    alike = EncodersOfQueries(encoders)
    writer = IndexWriter(folder / ENTRIES_FOLDER, alike, on_progress=on_progress)
    store, source = KnowledgeStore(folder), EntrySource(folder)
    revision = store.revision
    try:
        count = _publish(writer, source)
    except ModelMissingError:  # as for an index: found by their words, once words are published
        count = searchable_entries(folder)
    store.set_published(revision)
    return count


def _publish(writer: IndexWriter, source: EntrySource) -> int:
    if not any(True for _ in source.entries()):
        with contextlib.suppress(IndexNotFoundError):
            writer.delete_index()
        return 0
    return writer.build([source]).manifest.passages


def adopt_store(
    folder: Path,
    manifest: Manifest,
    file: Path,
    encoders: Encoders,
    on_progress: OnProgress = lambda progress: None,
) -> int:
    """Put a copy of another index's store in place of the one in `folder`; how many are searchable.

    Entries belong to passages by their text, so the other index may have been made of the same
    documents elsewhere; those of other passages are left out.

    Raises:
        UsageError, IndexFormatError, IndexCorruptError: `file` is no store.
    """
    partial = folder / f"{KNOWLEDGE_FILE}.partial"
    with storage_errors(folder), writer_lock(folder):
        partial.unlink(missing_ok=True)
        with reading(file) as other, closing(sqlite3.connect(partial)) as copy:
            other.backup(copy)
        for suffix in ("-wal", "-shm"):
            (folder / f"{KNOWLEDGE_FILE}{suffix}").unlink(missing_ok=True)
        partial.replace(folder / KNOWLEDGE_FILE)
    follow_index(folder, manifest)
    return publish_entries(folder, encoders, on_progress)


def searchable_entries(folder: Path) -> int:
    """How many entries can be found; 0 where none were published."""
    try:
        return read_manifest(folder / ENTRIES_FOLDER).passages
    except KnowledgeAssistantError:
        return 0
