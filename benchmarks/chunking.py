"""How large a passage should be, measured on long documents with known answers.

    python -m benchmarks.chunking FOLDER [--passages 1000] [--sizes 80,120,160,220,300] [--sparse]

FOLDER is a collection in BEIR's layout whose passage ids are DOCUMENT-START-END (MTRAG's and
MTRAG-UN's are). Passages of one document are put together in their order; documents that stay
shorter than `--long` words are joined with others of the same family (ids that look alike: digits,
hexadecimal digits, one prefix), so that the chunker has something to cut. Each size cuts the same
documents; a ranked list is read from the top until the reader has seen that many words, and what
counts is the share of the characters of a question's relevant passages that were among them.
Relevant passages are all there; the others are drawn with a fixed seed. BM25 and the installed
embedder are always used, the learned sparse encoder with `--sparse`.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant.models.encoders import LoadedEncoders
from assistant.models.store import ModelStore
from assistant.settings import default_home, load_settings
from eval.collections import Collection, load_collection, read_rows
from eval.significance import holm, paired_randomisation
from indexes.chunking import Chunker, count_words
from indexes.documents import Block, Document, Passage
from indexes.fusion import min_max
from indexes.index import DEFAULT_WEIGHTS
from indexes.lexical.index import LexicalIndex
from indexes.ranking import Ranking, top

_ID = re.compile(r"(.+)-(\d+)-(\d+)")
_PARAGRAPH = re.compile(r"\S(?:.*\n)*?.*?(?=\n\s*\n|\Z)")
_DEPTH = 200
_BUDGETS = (200, 400, 800)
Span = tuple[str, int, int]  # document, first character, end


def documents(
    folder: Path, collection: Collection, count: int, long: int
) -> tuple[list[Document], dict[str, Span]]:
    """Long documents, and where each passage of the collection lies in them."""
    rows = {str(r["_id"]): str(r["text"]) for r in read_rows(folder / "corpus.jsonl", ("_id",))}
    wanted = {
        passage
        for query in collection.queries
        for passage, grade in collection.qrels[query].items()
        if grade > 0
    }
    others = sorted(set(rows) - wanted)
    random.Random(0).shuffle(others)
    chosen = sorted(wanted & set(rows)) + others[: max(0, count - len(wanted))]
    by_document: dict[str, list[tuple[int, str]]] = {}
    for passage in chosen:
        if match := _ID.fullmatch(passage):
            by_document.setdefault(match[1], []).append((int(match[2]), passage))
    families: dict[str, list[str]] = {}
    for name in sorted(by_document):
        families.setdefault(family(name), []).append(name)
    made: list[Document] = []
    spans: dict[str, Span] = {}
    for names in families.values():
        random.Random(0).shuffle(names)
        for group in groups(names, by_document, rows, long):
            identity = f"long-{len(made)}"
            text = ""
            for passage in group:
                begin = len(text) + (2 if text else 0)
                text += ("\n\n" if text else "") + rows[passage].strip()
                spans[passage] = (identity, begin, len(text))
            blocks = tuple(Block(m.start(), m.end()) for m in _PARAGRAPH.finditer(text))
            made.append(Document(identity, identity, identity, text, blocks))
    return made, spans


def family(name: str) -> str:
    """What kind of document an id is of."""
    if re.fullmatch(r"[\d_-]+", name):
        return "digits"
    return "hexadecimal" if re.fullmatch(r"[0-9a-f]+", name) else re.sub(r"\d.*", "", name)


def groups(
    names: Iterable[str],
    by_document: dict[str, list[tuple[int, str]]],
    rows: dict[str, str],
    long: int,
) -> Iterable[list[str]]:
    """Passages, document after document, until there are `long` words."""
    group: list[str] = []
    for name in names:
        group += [passage for _, passage in sorted(by_document[name])]
        if sum(count_words(rows[passage]) for passage in group) >= long:
            yield group
            group = []
    if group:
        yield group


def ranked(
    passages: Sequence[Passage], queries: dict[str, str], encoders: LoadedEncoders, sparse: bool
) -> dict[str, list[int]]:
    """The rows found for each query, best first, by all stages."""
    texts = [passage.indexed_text for passage in passages]
    asked = list(queries.values())
    dense = encoders.dense()
    scores = {"dense": dense.encode(asked) @ dense.encode(texts).T}
    if sparse:
        splade = encoders.sparse()
        scores["sparse"] = (splade.encode(asked) @ splade.encode(texts).T).toarray()
    with tempfile.TemporaryDirectory() as folder:
        LexicalIndex.build(texts, Path(folder))
        lexical = LexicalIndex.open(Path(folder))
        found = {}
        for number, (query, text) in enumerate(queries.items()):
            lists: dict[str, Ranking] = {
                stage: top(np.asarray(values[number], dtype=np.float32), _DEPTH)
                for stage, values in scores.items()
            }
            lists["lexical"] = lexical.search(text, _DEPTH, require_phrases=False)
            fused = min_max(lists, DEFAULT_WEIGHTS)
            found[query] = sorted(fused, key=lambda row: (-fused[row], row))
    return found


def seen(passages: Sequence[Passage], rows: Iterable[int], budget: int) -> list[Span]:
    """What a reader of so many words has seen; the last passage in part."""
    spans, left = [], budget
    for row in rows:
        passage = passages[row]
        words = max(1, count_words(passage.text))
        end = passage.start + int(len(passage.text) * min(1.0, left / words))
        spans.append((passage.document_id, passage.start, end))
        left -= words
        if left <= 0:
            break
    return spans


def recall(gold: Sequence[Span], spans: Sequence[Span]) -> float:
    """The share of the characters of `gold` that are in `spans`, which do not overlap."""
    covered = sum(
        max(0, min(a_end, b_end) - max(a_start, b_start))
        for (a, a_start, a_end), (b, b_start, b_end) in itertools.product(gold, spans)
        if a == b
    )
    return covered / sum(end - start for _, start, end in gold)


def compare(values: dict[int, dict[int, list[float]]]) -> None:
    """Print each size against the size in use: differences, and p corrected for their number."""
    used = Chunker().max_words
    if used not in values:
        return
    pairs = [(size, budget) for size in sorted(values) if size != used for budget in _BUDGETS]
    found = [
        paired_randomisation(values[size][budget], values[used][budget]) for size, budget in pairs
    ]
    print(f"\nagainst {used} words (paired randomisation test, p as it is and after Holm)")
    for (size, budget), p, corrected in zip(pairs, found, holm(found), strict=True):
        gain = statistics.mean(values[size][budget]) - statistics.mean(values[used][budget])
        print(f"{size:10} within {budget:4} words {gain:+.3f}  p {p:.3f}  {corrected:.3f}")


def main(
    folder: Annotated[Path, typer.Argument(help="a collection with ids DOCUMENT-START-END")],
    passages: Annotated[int, typer.Option(help="passages of the collection to use")] = 1_000,
    sizes: Annotated[str, typer.Option(help="largest passages to try, in words")] = (
        "80,120,160,220,300"
    ),
    long: Annotated[int, typer.Option(help="words of a document, at least")] = 2_000,
    sparse: Annotated[bool, typer.Option("--sparse", help="with the sparse encoder")] = False,
    out: Annotated[Path | None, typer.Option(help="file for the values of each query")] = None,
) -> None:
    settings = load_settings()
    encoders = LoadedEncoders(ModelStore(default_home() / "models"), settings.models)
    collection = load_collection(folder)
    made, spans = documents(folder, collection, passages, long)
    gold = {
        query: [
            spans[passage]
            for passage, grade in collection.qrels[query].items()
            if grade > 0 and passage in spans
        ]
        for query in collection.queries
    }
    queries = {query: text for query, text in collection.queries.items() if gold[query]}
    words = [count_words(document.text) for document in made]
    print(
        f"{len(spans):,} passages in {len(made)} documents of {statistics.median(words):.0f} words "
        f"(median), {len(queries)} questions\nrecall of the relevant passages' characters within\n"
        f"{'max words':>10}{'passages':>10}{'mean':>7}"
        + "".join(f"{f'{budget} words':>12}" for budget in _BUDGETS)
        + f"{'seconds':>9}",
        flush=True,
    )
    values: dict[int, dict[int, list[float]]] = {}
    for size in map(int, sizes.split(",")):
        start = time.perf_counter()
        cut = [passage for document in made for passage in Chunker(size).split(document)]
        found = ranked(cut, queries, encoders, sparse)
        values[size] = {
            budget: [recall(gold[q], seen(cut, found[q], budget)) for q in queries]
            for budget in _BUDGETS
        }
        mean = statistics.mean(count_words(passage.text) for passage in cut)
        print(
            f"{size:10}{len(cut):10,}{mean:7.0f}"
            + "".join(f"{statistics.mean(values[size][budget]):12.3f}" for budget in _BUDGETS)
            + f"{time.perf_counter() - start:9.0f}",
            flush=True,
        )
    compare(values)
    if out:
        out.write_text(json.dumps({"queries": list(queries), "recall": values}))


if __name__ == "__main__":
    typer.run(main)
