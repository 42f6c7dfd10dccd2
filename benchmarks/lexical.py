"""Engines for lexical search on quality, speed and size.

    python -m benchmarks.lexical FOLDER… [--large 200000] [--queries 50]

Each FOLDER is a collection in BEIR's layout. bm25s, tantivy and SQLite's FTS5 get the same tokens,
cut, stopped and stemmed beforehand as bm25s does it, so that engines are compared and not
tokenisers; `1.2/.75` is bm25s with the k1 and b
that the other two have, `ours` the index of this project with its own tokens (and its texts cut
into them within the time), `phrases` the same where what a question has in quotation marks must
occur. The first table is nDCG@5;
the second repeats the largest collection's passages, each copy with a word of its own, until there
are `--large` of them. `update` is one passage in a hundred replaced. Engines that are not installed
are skipped. Ratios are against bm25s in the same run.
"""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

import bm25s
import numpy as np
import typer

from eval.collections import Collection, load_collection
from eval.measures import by_query
from indexes.carried import Carried
from indexes.lexical.bm25 import K1, B
from indexes.lexical.index import LexicalIndex, english_stemmer
from indexes.ranking import top

DEPTH = 100
Tokens = list[list[str]]


class Engine(Protocol):
    """Builds from texts or their tokens; `search` gives (row, score), best first."""

    name: str

    def build(self, texts: Sequence[str], tokens: Tokens) -> None: ...
    def update(self, rows: Sequence[int], texts: Sequence[str], tokens: Tokens) -> None: ...
    def search(self, query: str, terms: list[str]) -> list[tuple[int, float]]: ...


class Bm25s:
    name = "bm25s"
    k1, b = K1, B

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, texts: Sequence[str], tokens: Tokens) -> None:
        engine = bm25s.BM25(k1=self.k1, b=self.b, method="lucene")
        engine.index(tokens, show_progress=False)
        engine.save(str(self._folder), show_progress=False)
        self._engine = bm25s.BM25.load(str(self._folder), mmap=True, show_progress=False)

    def update(self, rows: Sequence[int], texts: Sequence[str], tokens: Tokens) -> None:
        self.build(texts, tokens)

    def search(self, query: str, terms: list[str]) -> list[tuple[int, float]]:
        known = [term for term in terms if term in self._engine.vocab_dict]
        if not known:
            return []
        found = top(np.asarray(self._engine.get_scores(known), dtype=np.float32), DEPTH)
        return list(zip(found.rows.tolist(), found.scores.tolist(), strict=True))


class Bm25sAsLucene(Bm25s):
    """With the k1 and b that tantivy and FTS5 have."""

    name = "1.2/.75"
    k1, b = 1.2, 0.75


class Ours:
    name = "ours"
    phrases = False  # a question's quotation marks are no filter, as for the other engines

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, texts: Sequence[str], tokens: Tokens) -> None:
        LexicalIndex.build(list(texts), self._folder / "g0")
        self._index = LexicalIndex.open(self._folder / "g0")

    def update(self, rows: Sequence[int], texts: Sequence[str], tokens: Tokens) -> None:
        origin = np.arange(len(texts), dtype=np.int64)
        origin[rows] = -1
        new = [texts[row] for row in rows]
        LexicalIndex.build(new, self._folder / "g1", Carried(self._folder / "g0", origin))
        self._index = LexicalIndex.open(self._folder / "g1")

    def search(self, query: str, terms: list[str]) -> list[tuple[int, float]]:
        found = self._index.search(query, DEPTH, require_phrases=self.phrases)
        return list(zip(found.rows.tolist(), found.scores.tolist(), strict=True))


class OursWithPhrases(Ours):
    """Where what stands in quotation marks has to occur as written."""

    name = "phrases"
    phrases = True


class Tantivy:
    name = "tantivy"

    def __init__(self, folder: Path) -> None:
        import tantivy

        self._tantivy = tantivy
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("row", stored=True, indexed=True, fast=True)
        builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, str(folder))

    def build(self, texts: Sequence[str], tokens: Tokens) -> None:
        self._add(range(len(tokens)), tokens)

    def update(self, rows: Sequence[int], texts: Sequence[str], tokens: Tokens) -> None:
        self._add(rows, tokens)

    def _add(self, rows: Sequence[int], tokens: Tokens) -> None:
        writer = self._index.writer(256_000_000, 1)
        for row in rows:
            writer.delete_documents_by_term("row", row)
            writer.add_document(self._tantivy.Document(row=row, text=" ".join(tokens[row])))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def search(self, query: str, terms: list[str]) -> list[tuple[int, float]]:
        tantivy = self._tantivy
        parts = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "text", term, "freq"))
            for term in terms
        ]
        searcher = self._index.searcher()
        hits = searcher.search(tantivy.Query.boolean_query(parts), DEPTH).hits
        return [(searcher.doc(address)["row"][0], score) for score, address in hits]


class Fts5:
    name = "FTS5"

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "fts5.sqlite")
        # detail=none would be smaller, but then bm25() cannot count; content is not kept.
        self._db.execute(
            "CREATE VIRTUAL TABLE passages USING fts5(text, content='', contentless_delete=1)"
            if sqlite3.sqlite_version_info >= (3, 43)
            else "CREATE VIRTUAL TABLE passages USING fts5(text)"
        )

    def build(self, texts: Sequence[str], tokens: Tokens) -> None:
        with self._db:
            self._db.executemany(
                "INSERT INTO passages (rowid, text) VALUES (?, ?)",
                ((row, " ".join(words)) for row, words in enumerate(tokens)),
            )

    def update(self, rows: Sequence[int], texts: Sequence[str], tokens: Tokens) -> None:
        with self._db:
            for row in rows:
                self._db.execute("DELETE FROM passages WHERE rowid = ?", (row,))
            self._db.executemany(
                "INSERT INTO passages (rowid, text) VALUES (?, ?)",
                ((row, " ".join(tokens[row])) for row in rows),
            )

    def search(self, query: str, terms: list[str]) -> list[tuple[int, float]]:
        if not terms:
            return []
        found = self._db.execute(
            "SELECT rowid, -bm25(passages) FROM passages WHERE passages MATCH ? "
            "ORDER BY bm25(passages), rowid LIMIT ?",
            (" OR ".join(f'"{term}"' for term in terms), DEPTH),
        )
        return [(int(row), float(score)) for row, score in found]


def engines() -> dict[str, Callable[[Path], Engine]]:
    """Those that can run here."""
    found: dict[str, Callable[[Path], Engine]] = {
        "bm25s": Bm25s,
        "1.2/.75": Bm25sAsLucene,
        "ours": Ours,
        "phrases": OursWithPhrases,
    }
    if importlib.util.find_spec("tantivy"):
        found["tantivy"] = Tantivy
    else:
        print("tantivy is not installed: skipped")
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(text)")
        found["FTS5"] = Fts5
    except sqlite3.OperationalError:
        print("this SQLite has no FTS5: skipped")
    return found


def tokenized(texts: Sequence[str]) -> Tokens:
    """As bm25s does it for English."""
    words: Tokens = bm25s.tokenize(
        list(texts),
        stopwords="en",
        stemmer=english_stemmer(),
        return_ids=False,
        show_progress=False,
    )
    return words


def corpus(folder: Path) -> tuple[list[str], list[str]]:
    """Ids and texts, title first."""
    ids, texts = [], []
    for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").split("\n"):
        if line.strip():
            row = json.loads(line)
            ids.append(str(row["_id"]))
            texts.append(f"{row.get('title', '')}\n{row['text']}".strip())
    return ids, texts


def quality(engine: Engine, collection: Collection) -> float:
    """nDCG@5 over the collection's queries."""
    ids, texts = corpus(collection.folder)
    engine.build(texts, tokenized(texts))
    terms = tokenized(list(collection.queries.values()))
    run = {
        query: {ids[row]: score for row, score in engine.search(text, words)}
        for (query, text), words in zip(collection.queries.items(), terms, strict=True)
    }
    values = by_query(run, collection.qrels, ["nDCG@5"])["nDCG@5"]
    return statistics.mean(values[query] for query in collection.queries)


def repeated(texts: list[str], count: int) -> list[str]:
    """At least one copy of each, then more, until there are `count`."""
    return [
        texts[number % len(texts)] + f" copy{number // len(texts)}"
        for number in range(max(count, len(texts)))
    ]


def speed(engine: Engine, texts: list[str], queries: list[str], folder: Path) -> list[float]:
    """Seconds of a build, of an update of 1 %, megabytes, then min/median/max ms of a search."""
    tokens = tokenized(texts)
    start = time.perf_counter()
    engine.build(texts, tokens)
    built = time.perf_counter() - start
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    times = []
    for query, terms in zip(queries, tokenized(queries), strict=True):
        start = time.perf_counter()
        engine.search(query, terms)
        times.append(1_000 * (time.perf_counter() - start))
    rows = range(0, len(texts), 100)
    changed = [f"{text} changed" if row % 100 == 0 else text for row, text in enumerate(texts)]
    tokens = tokenized(changed)
    start = time.perf_counter()
    engine.update(rows, changed, tokens)
    updated = time.perf_counter() - start
    return [built, updated, size, min(times), statistics.median(times), max(times)]


def places() -> Iterator[Path]:
    """Empty folders, each gone when the next is asked for."""
    while True:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def main(
    folders: Annotated[list[Path], typer.Argument(help="collections in BEIR's layout")],
    large: Annotated[int, typer.Option(help="passages of the speed table; 0 leaves it out")] = 0,
    queries: Annotated[int, typer.Option(help="searches that are timed")] = 50,
) -> None:
    makers = engines()
    collections = [load_collection(folder) for folder in folders]
    place = places()
    print(f"\nnDCG@5          {''.join(f'{name:>10}' for name in makers)}")
    for collection in collections:
        values = [quality(make(next(place)), collection) for make in makers.values()]
        print(f"{collection.name:16}" + "".join(f"{value:10.3f}" for value in values))
    if not large:
        return
    biggest = max(collections, key=lambda c: (c.folder / "corpus.jsonl").stat().st_size)
    texts = repeated(corpus(biggest.folder)[1], large)
    asked = list(biggest.queries.values())[:queries]
    print(
        f"\n{len(texts):,} passages of {biggest.name}, {len(asked)} queries\n{'':10}{'build s':>9}"
        f"{'update s':>9}{'MB':>8}{'min ms':>9}{'median':>9}{'max':>9}{'search ÷ bm25s':>16}"
    )
    base: float | None = None
    for name, make in makers.items():
        if name == "phrases":
            continue  # the same index
        folder = next(place)
        row: Any = speed(make(folder), texts, asked, folder)
        base = base or row[4]
        print(
            f"{name:10}{row[0]:9.1f}{row[1]:9.1f}{row[2]:8.1f}"
            f"{row[3]:9.2f}{row[4]:9.2f}{row[5]:9.2f}{row[4] / base:16.2f}"
        )


if __name__ == "__main__":
    typer.run(main)
