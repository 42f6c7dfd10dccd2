"""An update against a rebuild, and how much of a build is encoding.

    python -m benchmarks.update FOLDER [--share 0.01] [--repeats 3] [--limit N]

FOLDER is a collection in BEIR's layout. Its documents are indexed with the real encoders in a
temporary folder; then a share of them is changed and the index updated, several times with other
documents; then one is deleted. Printed: seconds of the build and the part of it spent inside the
encoders; each update's seconds as a ratio to the build; the same for the deletion. The graph of an
index, which follows afterwards, is not made here (see `benchmarks.thoughts_graph`).
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.models.encoders import LoadedEncoders
from assistant.models.store import ModelStore
from assistant.settings import load_settings
from indexes.build import IndexWriter
from indexes.corpora import open_source
from indexes.documents import Document, Entry, ReadFailure, content_hash


class Timed:
    """An encoder that notes how long it was at work."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode(self, texts: Sequence[str]) -> Any:
        started = time.perf_counter()
        try:
            return self._encoder.encode(texts)
        finally:
            self.seconds += time.perf_counter() - started


class TimedEncoders:
    """Both encoders, loaded and warm, with their clocks."""

    def __init__(self, loaded: LoadedEncoders) -> None:
        self._dense, self._sparse = Timed(loaded.dense()), Timed(loaded.sparse())
        for encoder in (self._dense, self._sparse):
            encoder.encode(["a first call takes longer than the others"])

    def dense(self) -> Any:
        return self._dense

    def sparse(self) -> Any:
        return self._sparse

    @property
    def seconds(self) -> float:
        return self._dense.seconds + self._sparse.seconds


class Edited:
    """A collection of which some documents were changed."""

    def __init__(self, documents: Sequence[Document], spec: str) -> None:
        self._documents, self.spec = list(documents), spec

    def edit(self, share: float, seed: int) -> int:
        """Change a share of the documents at random; returns how many."""
        count = max(1, round(share * len(self._documents)))
        for number in random.Random(seed).sample(range(len(self._documents)), count):
            document = self._documents[number]
            text = f"{document.text} Changed in round {seed}."
            block = replace(document.blocks[-1], end=len(text))
            self._documents[number] = replace(
                document,
                text=text,
                blocks=(*document.blocks[:-1], block),
                fingerprint=content_hash(text),
            )
        return count

    def entries(self) -> Iterator[Entry | ReadFailure]:
        for document in self._documents:
            yield Entry(document.uri, document.fingerprint, partial(_itself, document))


def _itself(document: Document) -> Document:
    return document


def main(
    folder: Annotated[Path, typer.Argument(help="a collection in BEIR's layout")],
    share: Annotated[float, typer.Option(help="of the documents, changed in each update")] = 0.01,
    repeats: Annotated[int, typer.Option(min=1)] = 3,
    limit: Annotated[int | None, typer.Option(help="take the first N documents only")] = None,
) -> None:
    """Measure a build, updates and a deletion."""
    report: Callable[[str], None] = print
    settings = load_settings()
    encoders = TimedEncoders(LoadedEncoders(ModelStore(settings.models_folder), settings.models))
    source = open_source(f"beir:{folder}")
    entries = [entry for entry in source.entries() if isinstance(entry, Entry)][:limit]
    edited = Edited([entry.load() for entry in entries], source.spec)
    with tempfile.TemporaryDirectory() as home:
        writer = IndexWriter(Path(home) / "benchmark", encoders)
        before, started = encoders.seconds, time.perf_counter()
        built = writer.build([edited])
        whole = time.perf_counter() - started
        inside = (encoders.seconds - before) / whole
        report(f"build: {built.manifest.passages:,} passages in {whole:.1f} s")
        report(f"  inside the encoders: {inside:.1%} of the time")
        ratios = []
        for number in range(1, repeats + 1):
            count = edited.edit(share, number)
            started = time.perf_counter()
            writer.build([edited])
            ratios.append((time.perf_counter() - started) / whole)
        report(
            f"update of {count:,} documents, part of a build: min {min(ratios):.2%}  "
            f"median {statistics.median(ratios):.2%}  max {max(ratios):.2%}"
        )
        started = time.perf_counter()
        writer.delete_documents([entries[0].uri])
        report(f"deletion of one: {(time.perf_counter() - started) / whole:.2%} of a build")


if __name__ == "__main__":
    typer.run(main)
