"""Collections with judgements in BEIR's layout.

FOLDER/corpus.jsonl      {"_id", "title", "text"}
FOLDER/queries.jsonl     {"_id", "text", …}
FOLDER/qrels/test.tsv    query-id, corpus-id, score, with a header line
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from assistant.errors import UsageError

Item = TypeVar("Item")
Qrels = dict[str, dict[str, int]]
QUERIES, QRELS = "queries.jsonl", "qrels/test.tsv"


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection: queries by id, judgements by query and passage id."""

    name: str
    folder: Path
    queries: dict[str, str]
    qrels: Qrels
    fingerprint: str  # of the corpus; equal corpora share one index


def load_collection(folder: Path, *, split: str = "test") -> Collection:
    """Read queries and judgements; the corpus is read by the index's own reader.

    Only queries with at least one relevant passage are kept: the others have no measure.

    Raises:
        UsageError: a file is missing or a line of it is not as described, with file and line.
    """
    corpus = folder / "corpus.jsonl"
    for path in (corpus, folder / "queries.jsonl", folder / "qrels" / f"{split}.tsv"):
        if not path.is_file():
            raise UsageError(
                f"{path} is missing",
                remedy="a collection has corpus.jsonl, queries.jsonl and qrels/test.tsv",
            )
    qrels = _read_qrels(folder / "qrels" / f"{split}.tsv")
    queries = {
        str(row["_id"]): str(row["text"])
        for row in read_rows(folder / "queries.jsonl", ("_id", "text"))
    }
    judged = {
        query: text
        for query, text in queries.items()
        if any(grade > 0 for grade in qrels.get(query, {}).values())
    }
    if not judged:
        raise UsageError(f"no query of {folder} has a relevant passage in its judgements")
    return Collection(folder.name, folder, judged, qrels, _fingerprint(corpus))


def load_corpus(folder: Path) -> Collection:
    """A collection of which only the passages matter: it has neither queries nor judgements.

    Raises:
        UsageError: there is no corpus in the folder.
    """
    corpus = folder / "corpus.jsonl"
    if not corpus.is_file():
        raise UsageError(
            f"{corpus} is missing", remedy="give a folder that holds corpus.jsonl (BEIR's layout)"
        )
    return Collection(folder.name, folder, {}, {}, _fingerprint(corpus))


def _fingerprint(corpus: Path) -> str:
    with corpus.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sample(items: Sequence[Item], size: int | None, seed: int) -> list[Item]:
    """`size` of the items, drawn with the seed; all of them where that is None or not fewer."""
    if size is None or size >= len(items):
        return list(items)
    return random.Random(seed).sample(items, size)


def read_rows(path: Path, required: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file.

    Raises:
        UsageError: the file cannot be read, a line is no object, or lacks a required key.
    """
    yield from (row for _, row in numbered_rows(path, required))


def numbered_rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    """As `read_rows`, each with the number of its line, counted from 1."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise UsageError(f"{path}, line {number}: not an object")
        if absent := [key for key in required if key not in row]:
            raise UsageError(f"{path}, line {number}: no {', '.join(absent)}")
        yield number, row


def _read_qrels(path: Path) -> Qrels:
    qrels: Qrels = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split("\t")
        if number == 1 and fields[-1:] == ["score"]:
            continue
        try:
            query, passage, grade = fields
            qrels.setdefault(query, {})[passage] = int(grade)
        except ValueError as error:
            raise UsageError(
                f"{path}, line {number}: expected query-id, corpus-id, score between tabs"
            ) from error
    return qrels
