"""Does a knowledge store help to find the right passage? The same search with and without it.

Each judged query is searched twice in the same index by the same stages, weights and fusion. The
differences are tested by paired randomisation (`eval.significance`). Since a store rarely covers
all passages, queries are also told apart by whether one of their relevant passages has an entry;
the share of these says how much could be gained at all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.errors import UsageError
from assistant.knowledge.searching import PreparedKnowledge, open_prepared
from assistant.workspace import Workspace
from eval.collections import Collection, sample
from eval.measures import by_query
from eval.significance import bootstrap_interval, paired_randomisation
from indexes.index import Index
from indexes.progress import OnProgress, Progress

MEASURES = ("R@5", "nDCG@5")
DEPTH = 100
RELEVANT_FROM = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure without and with the store, over some queries.

    Attributes:
        p: of the paired randomisation test, two-sided.
        interval: of the mean difference, 95 %, by bootstrap.
        better, worse: queries that gained and lost.
    """

    measure: str
    queries: int
    without: float
    with_store: float
    p: float
    interval: tuple[float, float]
    better: int
    worse: int

    @property
    def difference(self) -> float:
        return self.with_store - self.without


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """Both searches compared; `covered` of `passages` have entries.

    `weight` is what the store would weigh if it covered all, `effective` what it does weigh.
    `reachable` are the queries of which a relevant passage has an entry, compared apart.
    """

    collection: str
    weight: float
    effective: float
    passages: int
    covered: int
    entries: int
    queries: int
    reachable: int
    all_queries: tuple[Comparison, ...]
    reachable_queries: tuple[Comparison, ...]
    seconds_without: float
    seconds_with: float

    @property
    def verdict(self) -> str:
        """One sentence on recall, for all queries."""
        recall = self.all_queries[0]
        if recall.p >= 0.05:
            change = f"{recall.difference:+.4f}"
            return f"no significant change of {recall.measure} ({change}, p = {recall.p:.3f})"
        way = "raises" if recall.difference > 0 else "LOWERS"
        change = f"{abs(recall.difference):.4f}"
        return f"the store {way} {recall.measure} by {change} (p = {recall.p:.3f})"


def evaluate_knowledge(
    workspace: Workspace,
    collection: Collection,
    index: Index,
    *,
    weight: float | None = None,
    limit: int | None = None,
    only_reachable: bool = False,
    by_coverage: bool = True,
    on_progress: OnProgress = lambda progress: None,
) -> KnowledgeReport:
    """Search every judged query without and with the store of `index`.

    Args:
        weight: of the store in the fusion; None takes that of the settings.
        limit: a sample of so many queries.
        only_reachable: only queries of which a relevant passage has an entry: what the store does
            where it has something to say, and no picture of what it does to all questions.
        by_coverage: False gives the store its whole weight, however little it covers.

    Raises:
        UsageError: the index has no searchable entries.
    """
    wanted = workspace.settings.knowledge.weight if weight is None else weight
    prepared = open_prepared(index, workspace.encoders, wanted, by_coverage=by_coverage)
    if prepared is None:
        raise UsageError(
            f"the index '{index.manifest.name}' has no knowledge store to measure",
            remedy="give --build, or --entries FILE",
        )
    runs: list[dict[str, dict[str, float]]] = [{}, {}]
    seconds = [0.0, 0.0]
    covered = prepared.covered_passages()

    def reached(query: str) -> bool:
        grades = collection.qrels[query].items()
        return any(grade >= RELEVANT_FROM and passage in covered for passage, grade in grades)

    asked = [item for item in collection.queries.items() if not only_reachable or reached(item[0])]
    if not asked:
        raise UsageError("no query has a relevant passage with an entry", remedy="build more")
    queries = sample(asked, limit, 0)
    for number, (query, text) in enumerate(queries, start=1):
        for which, further in enumerate((None, prepared)):
            began = time.monotonic()
            runs[which][query] = _search(workspace, index, text, further)
            seconds[which] += time.monotonic() - began
        on_progress(Progress("search", number, len(queries), "queries", sum(seconds)))
    judged = {query: collection.qrels[query] for query, _ in queries}
    without, with_store = (by_query(run, judged, MEASURES) for run in runs)
    reachable = [query for query in judged if reached(query)]
    return KnowledgeReport(
        collection=collection.name,
        weight=wanted,
        effective=round(prepared.weight, 4),
        passages=index.manifest.passages,
        covered=len(covered),
        entries=prepared.size,
        queries=len(judged),
        reachable=len(reachable),
        all_queries=_compared(without, with_store, list(judged)),
        reachable_queries=_compared(without, with_store, reachable) if reachable else (),
        seconds_without=round(seconds[0] / len(judged), 4),
        seconds_with=round(seconds[1] / len(judged), 4),
    )


def _search(
    workspace: Workspace, index: Index, text: str, further: PreparedKnowledge | None
) -> dict[str, float]:
    retrieval = workspace.settings.retrieval
    result = index.search(
        text.replace('"', " "),  # a name in quotation marks is not to be insisted on
        limit=DEPTH,
        depth=max(retrieval.depth, DEPTH),
        weights=retrieval.weights,
        further=further,
    )
    # By rank: refinement may have changed the order, and scores can be equal.
    return {hit.passage.id: 1.0 / hit.rank for hit in result.hits}


def _compared(
    without: dict[str, dict[str, float]],
    with_store: dict[str, dict[str, float]],
    queries: Sequence[str],
) -> tuple[Comparison, ...]:
    found = []
    for measure in MEASURES:
        before = [without[measure][query] for query in queries]
        after = [with_store[measure][query] for query in queries]
        gained = [b - a for a, b in zip(before, after, strict=True)]
        found.append(
            Comparison(
                measure,
                len(queries),
                round(sum(before) / len(queries), 4),
                round(sum(after) / len(queries), 4),
                round(paired_randomisation(after, before), 4),
                bootstrap_interval(gained),
                sum(gain > 0 for gain in gained),
                sum(gain < 0 for gain in gained),
            )
        )
    return tuple(found)


def report_json(report: KnowledgeReport) -> dict[str, Any]:
    """The documented shape of `assistant eval knowledge --json`."""
    return {
        "collection": report.collection,
        "weight": report.weight,
        "effective_weight": report.effective,
        "passages": report.passages,
        "covered": report.covered,
        "entries": report.entries,
        "queries": report.queries,
        "reachable": report.reachable,
        "relevant_from_grade": RELEVANT_FROM,
        "all": [_comparison_json(one) for one in report.all_queries],
        "reachable_queries": [_comparison_json(one) for one in report.reachable_queries],
        "verdict": report.verdict,
        "seconds_a_query": {"without": report.seconds_without, "with": report.seconds_with},
    }


def _comparison_json(one: Comparison) -> dict[str, Any]:
    low, high = one.interval
    return {
        "measure": one.measure,
        "queries": one.queries,
        "without": one.without,
        "with": one.with_store,
        "difference": round(one.difference, 4),
        "interval": [round(low, 4), round(high, 4)],
        "p": one.p,
        "better": one.better,
        "worse": one.worse,
    }
