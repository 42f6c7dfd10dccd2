"""Is the knowledge store of an index whole, and of this state of the index?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from assistant.errors import IndexCorruptError, KnowledgeAssistantError
from assistant.knowledge.following import searchable_entries
from assistant.knowledge.schema import ENTRIES_FOLDER, KNOWLEDGE_FILE, reading
from assistant.knowledge.store import KnowledgeStore
from indexes.encoders import Encoders
from indexes.manifest import STORE_FILE, Manifest
from indexes.store import PassageStore
from indexes.upkeep.verify import Finding, verify

_CHECK = "knowledge"


def check_knowledge(folder: Path, manifest: Manifest, encoders: Encoders) -> Iterator[Finding]:
    """Check the store of the index in `folder`: none is no error, a damaged one is."""
    path = folder / KNOWLEDGE_FILE
    if not path.is_file():
        yield Finding(_CHECK, True, "there is none", "")
        return
    anew = f"delete {path} and run: assistant knowledge build {manifest.name}"
    try:
        message = _checked(folder, manifest)
    except (KnowledgeAssistantError, sqlite3.DatabaseError) as error:
        yield Finding(_CHECK, False, str(error), anew)
        return
    yield Finding(_CHECK, True, message, "")
    if searchable_entries(folder):
        again = f"delete the folder {folder / ENTRIES_FOLDER} and run the build again"
        for finding in verify(folder / ENTRIES_FOLDER, encoders):
            if not finding.ok:
                yield Finding(f"{_CHECK}: {finding.check}", False, finding.message, again)


def _checked(folder: Path, manifest: Manifest) -> str:
    store = KnowledgeStore(folder)
    with reading(store.path) as db:
        (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
        (loose,) = db.execute(
            "SELECT count(*) FROM entries WHERE passage NOT IN (SELECT key FROM passages)"
        ).fetchone()
    if state != "ok" or loose:
        raise IndexCorruptError(f"the store is damaged: {state}, {loose} entries of no passage")
    passages = PassageStore(folder / manifest.generation / STORE_FILE)
    try:
        by_row = passages.keys()
        keys = {by_row[row].tobytes() for row in range(len(by_row))}
    finally:
        passages.close()
    entries = [entry for entry in store.entries() if entry.tier != "rejected"]
    gone = sum(entry.passage_key not in keys for entry in entries)
    said = f"{len(entries):,} entries, {searchable_entries(folder):,} searchable"
    if gone or not store.published:
        return f"{said}; they follow at the next: assistant index update {manifest.name}"
    return said
