"""How long the graph of an index takes to build, to update and to open, and how large it is.

    python -m benchmarks.thoughts_graph FOLDER [--limit N] [--processes 1]

FOLDER is a collection in BEIR's form. The graph is made by rules, with the parser of the settings;
"extraction" is the time within it that the rules and the parser took. The targets for 5,183
passages: 180 s to build, 1 s for one changed document.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from assistant.models.store import ModelStore
from assistant.settings import load_settings
from assistant.thoughts.extraction.deterministic import DeterministicExtractor
from assistant.thoughts.extraction.types import Extraction, Extractor, Source
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.persistent.schema import GRAPH_FILE
from assistant.thoughts.persistent.sync import SyncResult, sync
from assistant.understanding.parser import Parser
from indexes.chunking import Chunker
from indexes.corpora import open_source
from indexes.documents import Document, Entry
from indexes.staged_store import StagedStore
from indexes.store import PassageStore


class Timed(Extractor):
    """An extractor, and the seconds it has taken."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor, self.seconds = extractor, 0.0

    @property
    def fingerprint(self) -> str:
        return self._extractor.fingerprint

    def extract(self, sources: Sequence[Source]) -> list[Extraction]:
        started = time.perf_counter()
        found = self._extractor.extract(sources)
        self.seconds += time.perf_counter() - started
        return found


def store_of(path: Path, documents: Sequence[Document]) -> PassageStore:
    """A published store of these documents."""
    store, chunker = StagedStore(path), Chunker()
    for document in documents:
        store.add(document, chunker.split(document), source="beir")
    store.commit()
    return store


def changed(document: Document) -> Document:
    """The same document with a sentence more."""
    text = f"{document.text} Marie Curie discovered radium in Paris in 1898."
    block = replace(document.blocks[-1], end=len(text))
    blocks = (*document.blocks[:-1], block)
    return replace(document, text=text, blocks=blocks, fingerprint="changed")


def main(
    folder: Annotated[Path, typer.Argument(help="a collection in BEIR's form")],
    limit: Annotated[int | None, typer.Option(help="only the first documents")] = None,
    processes: Annotated[int, typer.Option(help="of the extraction")] = 1,
    repeat: Annotated[int, typer.Option(help="updates of one document, and openings")] = 5,
) -> None:
    settings = load_settings({})
    parser = Parser(ModelStore(settings.models_folder), settings.models.parser)
    extractor = DeterministicExtractor(parser, processes=processes)
    timed = Timed(extractor)
    parser.parse(["It is loaded before the clock starts."])
    entries = (e for e in open_source(f"beir:{folder}").entries() if isinstance(e, Entry))
    documents = [entry.load() for entry in islice(entries, limit)]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / GRAPH_FILE
        store = store_of(Path(name) / "first.sqlite", documents)
        with extractor.workers():
            built = _told("build", timed, lambda: sync(path, store, timed, generation="g1"))
        graph = KnowledgeGraph(path)
        size = sum(file.stat().st_size for file in Path(name).glob(f"{GRAPH_FILE}*"))
        texts = sum(len(p.text.encode()) for p in store.passages())
        print(f"{graph.counts()}")
        print(f"{built.written / built.seconds:.1f} passages/s, {built.seconds:.1f} s")
        print(f"{size / 1e6:.1f} MB, {size / texts:.1f} times the passages' text")
        for number in range(repeat):
            at = number * (len(documents) - 1) // max(1, repeat - 1)
            documents[at] = changed(documents[at])
            store = store_of(Path(name) / f"next-{number}.sqlite", documents)
            _told("one document", timed, lambda: sync(path, store, timed, generation="g2"))  # noqa: B023
        _told("nothing changed", timed, lambda: sync(path, store, timed, generation="g2"))
        started = time.perf_counter()
        links = KnowledgeGraph(path).links()
        print(f"links of {len(links):,} passages: {time.perf_counter() - started:.2f} s at first")
        started = time.perf_counter()
        first = links.entities[len(links.entities) // 2]
        graph.entity(first)
        print(f"an entity's page: {1e3 * (time.perf_counter() - started):.1f} ms")


def _told(what: str, timed: Timed, work: object) -> SyncResult:
    timed.seconds = 0.0
    result: SyncResult = work()  # type: ignore[operator]
    share = result.seconds / timed.seconds if timed.seconds else float("nan")
    print(
        f"{what}: {result.seconds:.2f} s for {result.extracted:,} passages read, of it extraction "
        f"{timed.seconds:.2f} s (ratio {share:.2f})"
    )
    return result


if __name__ == "__main__":
    typer.run(main)
