"""A small embedder against its teacher: quality by collection, and processor time.

    python -m benchmarks.embedders COLLECTION … [--teacher minilm] [--student minilm-3]

COLLECTION are folders in BEIR's layout; both models are names of `assistant models list`. Each
passage (title and text) and each query has one vector, and passages are ranked by all their inner
products: the embedder alone, without chunks and without approximate search. The student encodes
the passages alone, as the search does it (`indexes.encoders.student`), and the queries too. Prints
nDCG@10 of each way and of the teacher, the share of the teacher's, p of the paired randomisation
test, the mean cosine of both vectors (of passages; of queries), and the teacher's processor time
for the passages over the student's; both take turns, a batch each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from assistant.models.store import ModelStore
from assistant.settings import default_home
from benchmarks.encoding import timed
from eval.collections import Collection, load_collection, read_rows
from eval.measures import by_query
from eval.significance import paired_randomisation
from indexes.encoders.dense import SentenceTransformerEncoder

MEASURE = "nDCG@10"
_BATCH = 64
_KEPT = 100  # passages of a ranking

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Compared:
    """One collection: values by query, and the ratio of processor times.

    Attributes:
        teacher: where the teacher encodes everything.
        student: by what the student encodes, the rest being the teacher's.
        cosines: mean cosine of the student's vectors to the teacher's, of passages and of queries.
    """

    collection: str
    passages: int
    teacher: Mapping[str, float]
    student: Mapping[str, Mapping[str, float]]
    cosines: tuple[float, float]
    time_ratio: float

    def rows(self) -> list[str]:
        """Rows of the table, one for each way."""
        queries = list(self.teacher)
        theirs = [self.teacher[query] for query in queries]
        made = []
        for (way, values), cosine in zip(self.student.items(), self.cosines, strict=True):
            ours = [values[query] for query in queries]
            share = sum(ours) / max(sum(theirs), 1e-12)
            made.append(
                f"| `{self.collection}` | {self.passages:,} | {len(queries)} "
                f"| {np.mean(theirs):.3f} | {way} | {np.mean(ours):.3f} | {100 * share:.1f} % "
                f"| {paired_randomisation(ours, theirs):.3f} | {cosine:.3f} "
                f"| {self.time_ratio:.2f} |"
            )
        return made


def compare(collection: Collection, teacher: Encode, student: Encode) -> Compared:
    """Encode and rank a collection with both."""
    queries = list(collection.queries.values())
    rows = list(read_rows(collection.folder / "corpus.jsonl", ("_id", "text")))
    ids = [str(row["_id"]) for row in rows]
    texts = [f"{row.get('title', '')} {row['text']}".strip() for row in rows]
    (theirs, their_seconds), (ours, our_seconds) = in_turns(texts, teacher, student)
    asked, own = teacher(queries), student(queries)
    return Compared(
        collection.name,
        len(texts),
        _values(collection, ids, asked @ theirs.T),
        {
            "passages": _values(collection, ids, asked @ ours.T),
            "both": _values(collection, ids, own @ ours.T),
        },
        (float((theirs * ours).sum(1).mean()), float((asked * own).sum(1).mean())),
        their_seconds / max(our_seconds, 1e-9),
    )


def in_turns(texts: Sequence[str], *encoders: Encode) -> list[tuple[NDArray[np.float32], float]]:
    """Vectors of the texts by each encoder, and its processor seconds."""
    vectors: list[list[NDArray[np.float32]]] = [[] for _ in encoders]
    seconds = [0.0] * len(encoders)
    for start in range(0, len(texts), _BATCH):
        for number, encode in enumerate(encoders):
            batch = texts[start : start + _BATCH]
            found, _, spent = timed(partial(encode, batch))
            vectors[number].append(found)
            seconds[number] += spent
    return [(np.concatenate(v), s) for v, s in zip(vectors, seconds, strict=True)]


def _values(
    collection: Collection, ids: Sequence[str], scores: NDArray[np.float32]
) -> dict[str, float]:
    run = {}
    for query, row in zip(collection.queries, scores, strict=True):
        best = np.argsort(-row, kind="stable")[:_KEPT]
        run[query] = {ids[place]: float(row[place]) for place in best}
    judged = {query: collection.qrels[query] for query in collection.queries}
    return by_query(run, judged, [MEASURE])[MEASURE]


def main(
    collections: Annotated[list[Path], typer.Argument(help="folders in BEIR's layout")],
    teacher: Annotated[str, typer.Option()] = "minilm",
    student: Annotated[str, typer.Option()] = "minilm-3",
    models: Annotated[Path | None, typer.Option(help="where models are")] = None,
) -> None:
    """Print the table."""
    report: Callable[[str], None] = print
    store = ModelStore(models or default_home() / "models")
    encoders = [
        SentenceTransformerEncoder(store.path(name), device="cpu") for name in (teacher, student)
    ]
    for encoder in encoders:
        encoder.encode(["warm"] * 8)
    report(
        f"| collection | passages | queries | {teacher} | {student} encodes | nDCG@10 "
        "| share | p | cosine | time |"
    )
    report("|---|---|---|---|---|---|---|---|---|---|")
    for folder in collections:
        for row in compare(load_collection(folder), *(e.encode for e in encoders)).rows():
            report(row)


if __name__ == "__main__":
    typer.run(main)
