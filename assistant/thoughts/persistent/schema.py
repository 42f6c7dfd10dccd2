"""The file of an index's graph: its tables, and which revision it is.

Two layers lie in it. The *derived* one follows from the documents and the extractor alone; it is
brought up to date by `assistant.thoughts.persistent.sync`. The *person's* is a log of changes.
"""

from __future__ import annotations

import secrets
import sqlite3

from assistant.errors import GraphError
from assistant.side_file import SideFile, note, set_note

__all__ = ["GRAPH_FILE", "note", "reading", "revise", "set_note", "writing"]

GRAPH_FILE = "graph.sqlite"

# `row`s are this file's own numbers; ids are those of the index and the graph. `stamp` tells a
# passage that may have changed from one that has not without reading its text; `key` tells surely.
_SCHEMA = """
CREATE TABLE extractions (
    extractor TEXT NOT NULL, key BLOB NOT NULL, data BLOB NOT NULL, UNIQUE (key, extractor)
);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    key BLOB NOT NULL, extractor TEXT NOT NULL, stamp TEXT NOT NULL
);
CREATE INDEX passages_by_key ON passages (key);
CREATE TABLE entities (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, label TEXT NOT NULL, type TEXT NOT NULL
);
CREATE TABLE unsettled (entity INTEGER PRIMARY KEY);
CREATE TABLE words (
    word TEXT, entity INTEGER, PRIMARY KEY (word, entity)
) WITHOUT ROWID;
CREATE TABLE surfaces (
    passage INTEGER NOT NULL, entity INTEGER NOT NULL, label TEXT NOT NULL, type TEXT NOT NULL,
    count INTEGER NOT NULL
);
CREATE INDEX surfaces_of_passage ON surfaces (passage);
CREATE INDEX surfaces_of_entity ON surfaces (entity);
CREATE TABLE mentions (
    passage INTEGER, entity INTEGER, about INTEGER NOT NULL, PRIMARY KEY (passage, entity)
) WITHOUT ROWID;
CREATE INDEX mentions_of_entity ON mentions (entity);
CREATE TABLE sentences (
    passage INTEGER, start INTEGER, "end" INTEGER, quote TEXT NOT NULL,
    PRIMARY KEY (passage, start, "end")
) WITHOUT ROWID;
CREATE TABLE facts (
    passage INTEGER, id TEXT, subject INTEGER NOT NULL, relation TEXT NOT NULL,
    object INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    confidence REAL NOT NULL, negated INTEGER NOT NULL, hedged INTEGER NOT NULL,
    valid_from TEXT NOT NULL, valid_to TEXT NOT NULL, PRIMARY KEY (passage, id)
) WITHOUT ROWID;
CREATE INDEX facts_by_id ON facts (id);
CREATE INDEX facts_of_subject ON facts (subject);
CREATE INDEX facts_of_object ON facts (object);
CREATE TABLE log (
    number INTEGER PRIMARY KEY, in_force INTEGER NOT NULL, batch TEXT NOT NULL
);
"""


def revise(db: sqlite3.Connection) -> None:
    """Say, within a transaction, that what was read before is out of date.

    No two revisions are called the same, also of a file that was made anew.
    """
    set_note(db, "revision", secrets.token_hex(8))


def _missing(index: str) -> GraphError:
    return GraphError(
        f"the index '{index}' has no graph",
        remedy=f"make it: assistant index update {index} --extract rules",
    )


_FILE = SideFile(
    what="graph",
    format="1",
    schema=_SCHEMA,
    missing=_missing,
    remake=lambda index: f"assistant index update {index}",
    first_notes=lambda: {"revision": secrets.token_hex(8)},
)
reading, writing = _FILE.reading, _FILE.writing
