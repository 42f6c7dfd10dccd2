"""Measures of retrieval that were kept, and whether two of them differ by more than chance.

One JSON object a line, in the order they were measured; a line that was cut short by a full disk
or a kill is passed over.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from assistant.settings import Settings
from eval.collections import Collection
from eval.measures import by_query
from eval.retrieval import RetrievalReport
from eval.significance import paired_randomisation
from indexes.files import storage_errors

COMPARED = "nDCG@10"
_FILE = "retrieval.jsonl"


@dataclass(frozen=True, slots=True)
class Measured:
    """One evaluation of retrieval.

    `corpus` is the corpus's fingerprint, `setup` what was searched with, by name; `by_query` has
    the values of `COMPARED`; `at` is ISO 8601, UTC.
    """

    at: str
    collection: str
    folder: str
    corpus: str
    queries: int
    passages: int
    seconds: float
    measures: Mapping[str, float]
    stages: Mapping[str, Mapping[str, float]]
    setup: Mapping[str, str | float]
    by_query: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean difference of `COMPARED` between two measurements, over `queries`, and its p."""

    mean: float
    queries: int
    p: float


def evaluation_folder(home: Path) -> Path:
    """Where results of evaluations are kept."""
    return home / "evaluation"


def measured(
    report: RetrievalReport, collection: Collection, settings: Settings, fusion: str
) -> Measured:
    """What is kept of a report."""
    judged = {query: collection.qrels[query] for query in collection.queries}
    values = by_query(report.run, judged, (COMPARED,))[COMPARED]
    retrieval, models = settings.retrieval, settings.models
    return Measured(
        datetime.now(UTC).isoformat(timespec="seconds"),
        report.collection,
        str(collection.folder.absolute()),
        collection.fingerprint[:16],
        report.queries,
        report.passages,
        report.seconds,
        report.measures,
        report.stages,
        {
            "fusion": fusion,
            **{f"weight of {stage}": weight for stage, weight in retrieval.weights.items()},
            "candidates": retrieval.depth,
            "embedder": models.embedder + (" in 8 bits" if models.int8 else ""),
            "sparse": models.sparse,
        },
        {query: round(value, 5) for query, value in values.items()},
    )


def keep(evaluation: Path, one: Measured) -> None:
    """Add it to the history.

    Raises:
        StorageError: the disk is full or not writable.
    """
    line = json.dumps(dataclasses.asdict(one), ensure_ascii=False)
    with storage_errors(evaluation):
        evaluation.mkdir(parents=True, exist_ok=True)
        # It begins a line of its own, so that one that was cut short before spoils nothing.
        with (evaluation / _FILE).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")


def history(evaluation: Path) -> list[Measured]:
    """All that was kept, oldest first."""
    try:
        lines = (evaluation / _FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(Measured(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


def difference(now: Measured, before: Measured) -> Difference | None:
    """`now` against `before` over the queries of both; None where the corpora are not the same."""
    common = [query for query in now.by_query if query in before.by_query]
    if now.corpus != before.corpus or not common:
        return None
    after = [now.by_query[query] for query in common]
    earlier = [before.by_query[query] for query in common]
    p = paired_randomisation(after, earlier)
    return Difference((sum(after) - sum(earlier)) / len(common), len(common), p)
