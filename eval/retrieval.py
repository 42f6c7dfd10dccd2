"""Retrieval measures on a collection: the fused list, and each stage alone beside it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.workspace import Workspace
from eval.collections import Collection, Qrels
from eval.measures import by_query
from indexes.corpora import open_source
from indexes.errors import KnowledgeAssistantError
from indexes.fusion import fusion_named
from indexes.index import Index
from indexes.manifest import STAGES
from indexes.progress import OnProgress, Progress
from indexes.queries import Query

MEASURES = ("nDCG@5", "nDCG@10", "R@20", "R@100")
RUN_DEPTH = 100
# Recall counts a passage as relevant from this grade on.
RELEVANT_FROM = 1

Run = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """Mean measures of the fusion and of each stage; `seconds` are for all queries."""

    collection: str
    queries: int
    passages: int
    measures: dict[str, float]
    stages: dict[str, dict[str, float]]
    seconds: float
    run: Run


def index_collection(
    workspace: Workspace, collection: Collection, on_progress: OnProgress
) -> Index:
    """The index of a collection: built on first use, found again by its corpus's content."""
    name = f"eval-{collection.fingerprint[:12]}"
    try:
        index = workspace.index(name)
        stages = index.manifest.stages
        encoders = workspace.adapted.writing(workspace.index_folder(name))
        made_by = (encoders.dense().fingerprint, encoders.sparse().fingerprint)
        if all(
            name in stages and stages[name].fingerprint == fingerprint
            for name, fingerprint in zip(("dense", "sparse"), made_by, strict=True)
        ):
            return index
    except KnowledgeAssistantError:
        pass  # not built yet, or damaged: build it
    source = open_source(f"beir:{collection.folder}")
    workspace.writer(name, on_progress).build([source])
    return workspace.index(name)


def evaluate_retrieval(
    workspace: Workspace,
    collection: Collection,
    *,
    fusion: str = "min-max",
    on_progress: OnProgress = lambda progress: None,
) -> RetrievalReport:
    """Search every judged query and measure the lists.

    Raises:
        KnowledgeAssistantError: a stage is missing; figures without it would mislead.
    """
    fuse = fusion_named(fusion)  # before the corpus is indexed, which takes minutes
    index = index_collection(workspace, collection, on_progress)
    retrieval = workspace.settings.retrieval
    runs: dict[str, Run] = {stage: {} for stage in STAGES}
    fused: Run = {}
    started = time.monotonic()
    for number, (query, text) in enumerate(collection.queries.items(), start=1):
        (rankings,), missing = index.rank([Query(text)], max(retrieval.depth, RUN_DEPTH))
        if missing:
            raise KnowledgeAssistantError(
                f"cannot evaluate without every stage: {missing}",
                remedy="assistant models fetch embedder sparse",
            )
        scores = fuse(rankings, retrieval.weights)
        fused[query] = _named(index, scores)
        for stage, ranking in rankings.items():
            pairs = zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True)
            runs[stage][query] = _named(index, dict(pairs))
        seconds = time.monotonic() - started
        on_progress(Progress("search", number, len(collection.queries), "queries", seconds))
    seconds = time.monotonic() - started
    return RetrievalReport(
        collection=collection.name,
        queries=len(collection.queries),
        passages=index.manifest.passages,
        measures=measure(fused, collection.qrels),
        stages={stage: measure(run, collection.qrels) for stage, run in runs.items()},
        seconds=round(seconds, 3),
        run=fused,
    )


def measure(run: Run, qrels: Qrels, measures: Iterable[str] = MEASURES) -> dict[str, float]:
    """Mean measures over the queries of `run`.

    A query for which nothing was found counts 0, as in trec_eval's complete mode (`-c`).
    """
    judged = {query: qrels[query] for query in run if query in qrels}
    found = by_query(run, judged, measures)
    return {
        name: round(sum(values.values()) / max(len(judged), 1), 4) for name, values in found.items()
    }


def write_run(run: Run, path: Path, tag: str) -> None:
    """A TREC run file: query Q0 passage rank score tag."""
    lines = []
    for query, scores in run.items():
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        lines += [
            f"{query} Q0 {passage} {rank} {score:.6f} {tag}"
            for rank, (passage, score) in enumerate(ranked, start=1)
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _named(index: Index, scores: Mapping[int, float]) -> dict[str, float]:
    best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:RUN_DEPTH]
    passages = index.store.by_rows([row for row, _ in best])
    return {p.id: score for p, (_, score) in zip(passages, best, strict=True)}


def report_json(report: RetrievalReport) -> dict[str, Any]:
    """The documented shape of `assistant eval retrieval --json`."""
    return {
        "collection": report.collection,
        "measures": report.measures,
        "stages": report.stages,
        "queries": report.queries,
        "passages": report.passages,
        "relevant_from_grade": RELEVANT_FROM,
        "seconds": report.seconds,
    }
