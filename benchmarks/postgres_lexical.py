"""Full-text search on a server against bm25s: quality and time in one run.

    python -m benchmarks.postgres_lexical postgresql://USER@HOST/DATABASE COLLECTION…

A collection is a folder in BEIR's layout. Compared on all judged queries, nDCG@5:
bm25s (the engine of an index in files), BM25 computed in SQL from the positions of a tsvector, and
the server's own `ts_rank` with the query's words joined by "or". Indexes are made under names that
begin with "bench-" and removed again.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from eval.collections import load_collection
from eval.measures import by_query
from indexes.corpora import open_source
from indexes.encoders import DenseEncoder, SparseEncoder
from indexes.errors import ModelMissingError
from indexes.lexical.index import LexicalIndex
from indexes.postgres.address import Address
from indexes.postgres.index import PostgresIndex
from indexes.postgres.stages import PostgresLexical
from indexes.postgres.writer import PostgresWriter
from indexes.ranking import Ranking

DEPTH = 100


class _NoEncoders:
    """Lexical search needs none."""

    def dense(self) -> DenseEncoder:
        raise ModelMissingError("not used")

    def sparse(self) -> SparseEncoder:
        raise ModelMissingError("not used")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("collections", nargs="+", type=Path)
    options = parser.parse_args()
    address = Address.parse(options.address)
    print(f"{'collection':<16}{'engine':<18}{'nDCG@5':>8}{'min ms':>9}{'median':>9}{'max':>9}")
    for folder in options.collections:
        _compare(address, folder)


def _compare(address: Address, folder: Path) -> None:
    collection = load_collection(folder)
    name = f"bench-{collection.fingerprint[:12]}"
    with suppress(ModelMissingError):
        writer = PostgresWriter(address, name, _NoEncoders())
        writer.build([open_source(f"beir:{folder}")])
    index = PostgresIndex.connect(address, name, _NoEncoders())
    lexical = index._ranker._lexical
    assert isinstance(lexical, PostgresLexical)
    rows = dict(_rows(index))
    with tempfile.TemporaryDirectory() as scratch:
        numbers = list(rows)
        LexicalIndex.build([rows[row][1] for row in numbers], Path(scratch))
        files = LexicalIndex.open(Path(scratch))
        ways: dict[str, Callable[[str], Ranking]] = {
            "bm25s": lambda query: files.search(query, DEPTH),
            "BM25 in SQL": lambda query: lexical.search(query, DEPTH),
            "ts_rank": lambda query: lexical.by_server_rank(_any(query), DEPTH),
        }
        for way, search in ways.items():
            run: dict[str, dict[str, float]] = {}
            times = []
            for identity, query in collection.queries.items():
                started = time.perf_counter()
                found = search(query)
                times.append(1000 * (time.perf_counter() - started))
                places = found.rows.tolist()
                if way == "bm25s":
                    places = [numbers[place] for place in places]
                scores = zip(places, found.scores.tolist(), strict=True)
                run[identity] = {rows[row][0]: score for row, score in scores}
            values = by_query(run, collection.qrels, ["nDCG@5"])["nDCG@5"]
            quality = statistics.mean(values[query] for query in collection.queries)
            spread = (min(times), statistics.median(times), max(times))
            cells = "".join(f"{value:>9.1f}" for value in spread)
            print(f"{collection.name:<16}{way:<18}{quality:>8.3f}{cells}")
    index.close()
    PostgresWriter(address, name, _NoEncoders()).delete_index()


def _rows(index: PostgresIndex) -> list[tuple[int, tuple[str, str]]]:
    passages = list(index.store.passages())
    numbers = index.store.rows_of([passage.id for passage in passages])
    return [
        (row, (passage.document_id, passage.indexed_text))
        for row, passage in zip(numbers, passages, strict=True)
    ]


def _any(query: str) -> str:
    return " or ".join(re.findall(r"\w+", query))


if __name__ == "__main__":
    main()
