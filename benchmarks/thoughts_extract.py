"""How many passages a second the rules read, beside the parser alone on the same text.

    python -m benchmarks.thoughts_extract CORPUS.jsonl [--limit 1000] [--runs 5] [--processes 2]

The corpus has one JSON object a line with `text`, and `title` where there is one. The peer is
spaCy's plain `nlp.pipe` with the same components, which is what any extractor over this parser
pays; the ratio says what the rules add. Both are warm; starting worker processes counts.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from assistant.settings import load_settings
from assistant.thoughts.extraction.deterministic import DeterministicExtractor
from assistant.thoughts.extraction.types import Source
from assistant.understanding.parser import Parser, load_parser
from assistant.workspace import Workspace
from benchmarks.spread import spread

_UNIT = "passages/s"


def read_sources(corpus: Path, limit: int) -> list[Source]:
    """The first passages of a corpus."""
    sources = []
    with corpus.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number == limit:
                break
            row = json.loads(line)
            sources.append(Source(str(row.get("_id", number)), row["text"], row.get("title", "")))
    return sources


def rates(work: Callable[[], object], passages: int, runs: int) -> list[float]:
    """Passages a second of each run."""
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        found.append(passages / (time.perf_counter() - started))
    return found


def main(
    corpus: Annotated[Path, typer.Argument(help="JSON lines with text and title.")],
    limit: Annotated[int, typer.Option(help="passages")] = 1_000,
    runs: Annotated[int, typer.Option(help="runs of each")] = 5,
    processes: Annotated[int, typer.Option(help="of the parallel row; 1 leaves it out")] = 2,
) -> None:
    """Measure extraction against the parser alone."""
    report: Callable[[str], None] = print
    sources = read_sources(corpus, limit)
    workspace = Workspace(load_settings())
    name = workspace.settings.models.parser
    pipeline = load_parser(workspace.models.path(name))
    words = statistics.mean(len(source.text.split()) for source in sources)
    report(f"{len(sources)} passages of {words:.0f} words; {os.cpu_count()} cores")

    def plain() -> None:
        for _ in pipeline.pipe((source.text for source in sources), batch_size=32):
            pass

    peer = rates(plain, len(sources), runs)
    report(f"{'nlp.pipe alone, one core':<24} {spread(peer, _UNIT, 1)}")
    options = [(1, False), (1, True), *([(processes, False)] if processes > 1 else [])]
    for count, all_cores in options:
        parser = Parser(workspace.models, name, all_cores=all_cores)
        extractor = DeterministicExtractor(parser, processes=count)
        extractor.extract(sources[:2])
        found = rates(lambda: extractor.extract(sources), len(sources), runs)  # noqa: B023
        ratio = statistics.median(found) / statistics.median(peer)
        label = f"rules, {count} proc{', all cores' if all_cores else ''}"
        report(f"{label:<24} {spread(found, _UNIT, 1)}  ({ratio:.2f} of nlp.pipe)")
    facts = sum(len(one.triples) for one in extractor.extract(sources[:200]))
    report(f"{facts / min(200, len(sources)):.1f} facts a passage")


if __name__ == "__main__":
    typer.run(main)
