"""The file of an index's knowledge store.

It lies beside the index (`NAME/knowledge.sqlite`); what it holds is searched through an index of
its own, in `NAME/knowledge/`, which can be made again from it.
"""

from __future__ import annotations

from assistant.errors import UsageError
from assistant.side_file import SideFile, note, set_note

__all__ = ["ENTRIES_FOLDER", "KNOWLEDGE_FILE", "note", "reading", "set_note", "writing"]

KNOWLEDGE_FILE = "knowledge.sqlite"
ENTRIES_FOLDER = "knowledge"

# `passages` says which were worked on: for one without a row nothing has been written yet. `key`
# is the SHA-256 of what is indexed of a passage. `deleted` keeps no text, only its hash.
_SCHEMA = """
CREATE TABLE passages (
    key BLOB PRIMARY KEY, id TEXT NOT NULL, document_id TEXT NOT NULL, teacher TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, tries INTEGER NOT NULL, seconds REAL NOT NULL,
    tokens INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE entries (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, question TEXT NOT NULL,
    answer TEXT NOT NULL, text TEXT NOT NULL, passage BLOB NOT NULL, teacher TEXT NOT NULL,
    style TEXT NOT NULL, likelihood REAL, grounding REAL NOT NULL, novelty REAL NOT NULL,
    score REAL NOT NULL, tier TEXT NOT NULL, created TEXT NOT NULL
);
CREATE INDEX entries_of_passage ON entries (passage);
CREATE TABLE logprobs (entry TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE deleted (hash BLOB PRIMARY KEY, passage BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE dropped (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE styles (
    style TEXT PRIMARY KEY, pulls INTEGER NOT NULL, reward REAL NOT NULL
) WITHOUT ROWID;
"""


def _missing(index: str) -> UsageError:
    return UsageError(
        f"the index '{index}' has no knowledge store",
        remedy=f"make one: assistant knowledge build {index} --budget 10m",
    )


_FILE = SideFile(
    what="knowledge store",
    format="1",
    schema=_SCHEMA,
    missing=_missing,
    remake=lambda index: f"assistant knowledge build {index}",
)
reading, writing = _FILE.reading, _FILE.writing
