"""The graph that follows an index: made after each publication, checked, and opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from assistant.errors import GraphError, IndexCorruptError, KnowledgeAssistantError
from assistant.thoughts.extraction.deterministic import DeterministicExtractor
from assistant.thoughts.extraction.types import Extractor
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.persistent.rows import passage_key
from assistant.thoughts.persistent.schema import GRAPH_FILE, reading
from assistant.thoughts.persistent.sync import sync
from indexes.manifest import STORE_FILE, Manifest
from indexes.progress import OnProgress
from indexes.store import PassageStore
from indexes.upkeep.verify import Finding

# A graph of an earlier state serves while it knows this share of the passages; others are read on
# the spot.
NEARLY = 0.8


class GraphCompanion:
    """Keeps `graph.sqlite` beside an index (see `indexes.companions.Companion`).

    Args:
        extractor: reads the passages.
        on_progress: hears of the stage "graph".
    """

    def __init__(self, extractor: Extractor, on_progress: OnProgress) -> None:
        self._extractor, self._report = extractor, on_progress

    def follow(self, folder: Path, manifest: Manifest) -> tuple[str, ...]:
        """See `indexes.companions.Companion`."""
        path = folder / GRAPH_FILE
        store = PassageStore(folder / manifest.generation / STORE_FILE)
        try:
            with self._workers():
                result = sync(
                    path, store, self._extractor, self._report, generation=manifest.generation
                )
        except IndexCorruptError as error:
            raise IndexCorruptError(error.message, remedy=_anew(path, manifest)) from error
        finally:
            store.close()
        if not result.demoted:
            return ()
        return (f"{result.demoted:,} promoted facts left the graph with the text that said them",)

    def _workers(self) -> AbstractContextManager[None]:
        if isinstance(self._extractor, DeterministicExtractor):
            return self._extractor.workers()
        return nullcontext()


def serves(graph: KnowledgeGraph, manifest: Manifest) -> bool:
    """Whether the graph is of this generation, or of one that is much the same."""
    try:
        if graph.generation == manifest.generation:
            return True
        passages = graph.counts().passages
        return bool(graph.extractor) and passages >= NEARLY * manifest.passages
    except (KnowledgeAssistantError, OSError):
        return False


def check_graph(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    """Check the graph of the index in `folder`: none is no error, a wrong one is."""
    path = folder / GRAPH_FILE
    if not path.is_file():
        yield Finding("graph", True, "there is none", "")
        return
    try:
        message = _checked(path, folder, manifest)
    except (KnowledgeAssistantError, sqlite3.DatabaseError) as error:
        yield Finding("graph", False, str(error), _anew(path, manifest))
    else:
        yield Finding("graph", True, message, "")


def _anew(path: Path, manifest: Manifest) -> str:
    return (
        f"delete {path}, with it what was changed by hand, and run: "
        f"assistant index update {manifest.name} --extract rules"
    )


def _checked(path: Path, folder: Path, manifest: Manifest) -> str:
    graph = KnowledgeGraph(path)
    counts = graph.counts()
    with reading(path) as db:
        (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise GraphError(f"the database is damaged: {state}")
        (loose,) = db.execute(
            "SELECT (SELECT count(*) FROM facts WHERE subject NOT IN (SELECT row FROM entities) "
            "OR object NOT IN (SELECT row FROM entities) "
            "OR passage NOT IN (SELECT row FROM passages)) + (SELECT count(*) FROM mentions "
            "WHERE entity NOT IN (SELECT row FROM entities) "
            "OR passage NOT IN (SELECT row FROM passages))"
        ).fetchone()
        keys = {str(i): bytes(key) for i, key in db.execute("SELECT id, key FROM passages")}
    if loose:
        raise GraphError(f"{loose} facts or mentions of something that is not there")
    said = f"{counts.entities:,} entities, {counts.facts:,} facts"
    if graph.generation != manifest.generation:
        return f"{said}; of an earlier state of the index: assistant index update {manifest.name}"
    store = PassageStore(folder / manifest.generation / STORE_FILE)
    try:
        if keys != {passage.id: passage_key(passage) for passage in store.passages()}:
            raise GraphError("it is not of these passages")
    finally:
        store.close()
    return said
