"""Which fusion, with which weights: chosen by cross-validation over several collections.

A way of fusing is a function of `indexes.fusion` with a grid of weights, or one whose weights
depend on the query. All are compared with the present default: min-max with the default weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import UsageError
from assistant.workspace import Workspace
from eval.collections import Collection, load_collection
from eval.cross_validation import Validation, cross_validated, folds_of, left_out
from eval.ranked_lists import (
    Candidates,
    Floats,
    JudgedLists,
    JudgedQuery,
    Rows,
    conversations,
    judged_lists,
    table_of,
)
from eval.retrieval import RUN_DEPTH, index_collection
from indexes.fusion import FUSIONS, Fusion, fusion_named
from indexes.index import DEFAULT_WEIGHTS, Index
from indexes.manifest import STAGES
from indexes.progress import OnProgress
from indexes.query_weights import by_agreement, for_exact_words

DEFAULT_FUSION = "min-max"
# 0 and 1 leave the weights alone, so each grid has the plain weights in it.
AGREEMENT_STRENGTHS = (0.0, 0.5, 1.0, 2.0)
EXACT_FACTORS = (1.0, 1.5, 2.0, 3.0)


Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Weighted:
    """One fusion function under many weights.

    All of `indexes.fusion` but CombMNZ are sums of one part per list, so a query's lists are
    scaled once and then weighted by a matrix product; CombMNZ multiplies that by a count. A test
    compares both with the functions themselves.

    Attributes:
        weights: of each candidate, for one query.
        counted: whether to multiply by the number of lists, as CombMNZ does.
    """

    labels: Sequence[str]
    fuse: Fusion
    weights: Callable[[JudgedQuery], Sequence[Weights]]
    counted: bool = False

    def scores(self, query: JudgedQuery) -> tuple[Rows, Floats]:
        present = [stage for stage in STAGES if len(query.rankings.get(stage, ()))]
        alone = [self.fuse({stage: query.rankings[stage]}, {stage: 1.0}) for stage in present]
        rows = np.array(sorted({row for part in alone for row in part}), dtype=np.int64)
        parts = np.array([[part.get(row, 0.0) for part in alone] for row in rows.tolist()])
        weights = np.array([[w.get(s, 0.0) for s in present] for w in self.weights(query)])
        if not len(rows):
            return rows, np.zeros((0, len(self.labels)))
        scores = parts @ weights.T
        if self.counted:
            held = np.array([[row in part for part in alone] for row in rows.tolist()])
            scores = scores * (held.astype(np.float64) @ (weights > 0).T)
        # Where no list with a weight found anything, nothing is found.
        scores[:, weights.sum(axis=1) <= 0] = np.nan
        return rows, scores


@dataclass(frozen=True, slots=True)
class Way:
    """A way of fusing, with its validations."""

    name: str
    candidates: int
    folds: Validation
    left_out: Validation | None


@dataclass(frozen=True, slots=True)
class FusionReport:
    """All ways; `everything` among them chooses over all the others' candidates."""

    collections: tuple[str, ...]
    default: str
    folds: int
    seed: int
    ways: tuple[Way, ...]


def weight_grid(step: float) -> list[dict[str, float]]:
    """Weights of the stages that sum to 1, in steps.

    Raises:
        UsageError: 1 is no multiple of the step.
    """
    parts = round(1 / step) if step > 0 else 0
    if parts < 1 or abs(parts * step - 1) > 1e-9:
        raise UsageError(f"step {step} does not divide 1", remedy="e.g. 0.1 or 0.05")
    return [
        dict(zip(STAGES, (a / parts, b / parts, (parts - a - b) / parts), strict=True))
        for a in range(parts + 1)
        for b in range(parts + 1 - a)
    ]


def ways_of_fusing(step: float) -> dict[str, Candidates]:
    """Candidates by way. In each the default weights come first, and stay where nothing is won."""
    grid: list[Weights] = [DEFAULT_WEIGHTS, *weight_grid(step)]
    base = fusion_named(DEFAULT_FUSION)
    ways: dict[str, Candidates] = {
        name: Weighted(
            [f"{name} {_named(weights)}" for weights in grid],
            # What is scaled and summed; the count makes it CombMNZ.
            base if name == "combmnz" else fuse,
            lambda query: grid,
            counted=name == "combmnz",
        )
        for name, fuse in FUSIONS.items()
    }
    ways["min-max, lists that agree"] = Weighted(
        [f"{_named(w)} agreement {strength:g}" for w in grid for strength in AGREEMENT_STRENGTHS],
        base,
        lambda query: [
            by_agreement(query.rankings, w, strength)
            for w in grid
            for strength in AGREEMENT_STRENGTHS
        ],
    )
    ways["min-max, exact words"] = Weighted(
        [f"{_named(w)} exact × {factor:g}" for w in grid for factor in EXACT_FACTORS],
        base,
        lambda query: [
            for_exact_words(query.text, w, factor) for w in grid for factor in EXACT_FACTORS
        ],
    )
    return ways


def evaluate_fusion(
    workspace: Workspace,
    folders: Sequence[Path],
    *,
    folds: int = 5,
    step: float = 0.1,
    seed: int = 0,
    on_progress: OnProgress = lambda progress: None,
) -> FusionReport:
    """Rank every collection's queries by every candidate; choose and report held out.

    Raises:
        UsageError: no collection, or as `folds_of` and `weight_grid` say.
        KnowledgeAssistantError: a stage is missing.
    """
    ways = ways_of_fusing(step)
    lists = [
        lists_of(
            workspace, collection, index_collection(workspace, collection, on_progress), on_progress
        )
        for collection in opened(folders, folds)
    ]
    return choose(lists, ways, folds=folds, seed=seed, on_progress=on_progress)


def opened(folders: Sequence[Path], folds: int) -> list[Collection]:
    """The collections, if they can be cut into folds: told before they are indexed for minutes.

    Raises:
        UsageError: no collection, one is damaged, or it has too few independent queries.
    """
    if not folders:
        raise UsageError("no collection given")
    collections = [load_collection(folder) for folder in folders]
    for collection in collections:
        groups = conversations(collection)
        folds_of([groups[query] for query in collection.queries], folds, 0)
    return collections


def lists_of(
    workspace: Workspace, collection: Collection, index: Index, on_progress: OnProgress
) -> JudgedLists:
    """Every stage's lists, as deep as a search asks for them and as runs are measured."""
    depth = max(workspace.settings.retrieval.depth, RUN_DEPTH)
    return judged_lists(index, collection, depth=depth, on_progress=on_progress)


def choose(
    lists: Sequence[JudgedLists],
    ways: Mapping[str, Candidates],
    *,
    folds: int,
    seed: int = 0,
    on_progress: OnProgress = lambda progress: None,
) -> FusionReport:
    """Validate each way, and the choice over all of them together (named "everything").

    The first candidate of the first way is the default, with which every way is compared.
    """
    names = [one.collection for one in lists]
    parts = [folds_of([q.group for q in one.queries], folds, seed) for one in lists]
    tables: dict[str, list[Floats]] = {
        name: [table_of(one, way, on_progress=on_progress) for one in lists]
        for name, way in ways.items()
    }
    labels = {name: list(way.labels) for name, way in ways.items()}
    first = next(iter(ways))
    defaults = [table[:, 0] for table in tables[first]]
    if len(ways) > 1:
        tables["everything"] = [
            np.concatenate([tables[name][number] for name in ways], axis=1)
            for number in range(len(lists))
        ]
        labels["everything"] = [label for name in ways for label in labels[name]]
    validated = []
    for name, own in tables.items():
        validated.append(
            Way(
                name,
                len(labels[name]),
                cross_validated(names, own, defaults, parts, labels[name]),
                left_out(names, own, defaults, labels[name]) if len(lists) > 1 else None,
            )
        )
    return FusionReport(tuple(names), labels[first][0], folds, seed, tuple(validated))


def report_json(report: FusionReport) -> dict[str, Any]:
    """The documented shape of `assistant eval fusion --json` and `eval reranking --json`."""
    return {
        "collections": list(report.collections),
        "default": report.default,
        "folds": report.folds,
        "seed": report.seed,
        "ways": [
            {
                "way": way.name,
                "candidates": way.candidates,
                "folds": _validation_json(way.folds),
                "leave_one_out": way.left_out and _validation_json(way.left_out),
            }
            for way in report.ways
        ],
    }


def _validation_json(validation: Validation) -> dict[str, Any]:
    return {
        "chosen": list(validation.chosen),
        "difference": round(validation.difference, 4),
        "significantly_better": list(validation.better),
        "significantly_worse": list(validation.worse),
        "collections": [
            {
                "collection": one.collection,
                "queries": one.queries,
                "nDCG@5": round(one.ndcg[0], 4),
                "nDCG@10": round(one.ndcg[1], 4),
                "default_nDCG@5": round(one.default[0], 4),
                "default_nDCG@10": round(one.default[1], 4),
                "p": round(one.p, 4),
            }
            for one in validation.collections
        ],
    }


def _named(weights: Mapping[str, float]) -> str:
    return "/".join(f"{weights.get(stage, 0.0):.2f}".removeprefix("0") for stage in STAGES)
