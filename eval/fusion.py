"""Which fusion, with which weights: chosen by cross-validation over several collections.

A way of fusing is a function of `indexes.fusion` with a grid of weights, or one whose weights
depend on the query. All are compared with the present default: min-max with the default weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import UsageError
from assistant.workspace import Workspace
from eval.collections import load_collection
from eval.cross_validation import Validation, cross_validated, folds_of, left_out
from eval.ranked_lists import JudgedLists, JudgedQuery, Scorer, judged_lists, table_of
from eval.retrieval import RUN_DEPTH, index_collection
from indexes.fusion import FUSIONS, Fusion, fusion_named
from indexes.index import DEFAULT_WEIGHTS
from indexes.manifest import STAGES
from indexes.progress import OnProgress
from indexes.query_weights import by_agreement, for_exact_words

DEFAULT_FUSION = "min-max"
# 0 and 1 leave the weights alone, so each grid has the plain weights in it.
AGREEMENT_STRENGTHS = (0.0, 0.5, 1.0, 2.0)
EXACT_FACTORS = (1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One ranking to choose: a name for people, and the scores it gives."""

    label: str
    scorer: Scorer


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


def ways_of_fusing(step: float) -> dict[str, list[Candidate]]:
    """Candidates by way. The default comes first in each, so that it stays where nothing is won."""
    grid = [dict(DEFAULT_WEIGHTS), *weight_grid(step)]
    base = fusion_named(DEFAULT_FUSION)
    default = _plain(DEFAULT_FUSION, base, DEFAULT_WEIGHTS)
    ways = {
        name: [_plain(name, fuse, weights) for weights in grid] for name, fuse in FUSIONS.items()
    }
    ways["min-max, lists that agree"] = [
        _agreeing(base, weights, strength) for weights in grid for strength in AGREEMENT_STRENGTHS
    ]
    ways["min-max, exact words"] = [
        _exact(base, weights, factor) for weights in grid for factor in EXACT_FACTORS
    ]
    return {name: [default, *candidates] for name, candidates in ways.items()}


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
    lists = lists_of(workspace, folders, on_progress)
    return choose(lists, ways, folds=folds, seed=seed, on_progress=on_progress)


def lists_of(
    workspace: Workspace, folders: Sequence[Path], on_progress: OnProgress
) -> list[JudgedLists]:
    """Every stage's lists of every collection; each corpus is indexed on first use."""
    if not folders:
        raise UsageError("no collection given")
    depth = max(workspace.settings.retrieval.depth, RUN_DEPTH)
    found = []
    for collection in [load_collection(folder) for folder in folders]:
        index = index_collection(workspace, collection, on_progress)
        found.append(judged_lists(index, collection, depth=depth, on_progress=on_progress))
    return found


def choose(
    lists: Sequence[JudgedLists],
    ways: Mapping[str, Sequence[Candidate]],
    *,
    folds: int,
    seed: int = 0,
    together: str = "everything",
    on_progress: OnProgress = lambda progress: None,
) -> FusionReport:
    """Validate each way, and the choice over all of them together (named `together`)."""
    names = [one.collection for one in lists]
    parts = [folds_of([q.group for q in one.queries], folds, seed) for one in lists]
    flat = [candidate for candidates in ways.values() for candidate in candidates]
    tables = [table_of(one, [c.scorer for c in flat], on_progress=on_progress) for one in lists]
    slices: dict[str, list[int]] = {}
    for name, candidates in ways.items():
        start = sum(map(len, slices.values()))
        slices[name] = list(range(start, start + len(candidates)))
    if len(ways) > 1:
        slices[together] = list(range(len(flat)))
    labels = np.array([candidate.label for candidate in flat])
    validated = []
    for name, columns in slices.items():
        own, called = [table[:, columns] for table in tables], labels[columns].tolist()
        validated.append(
            Way(
                name,
                len(columns),
                cross_validated(names, own, parts, called),
                left_out(names, own, called) if len(lists) > 1 else None,
            )
        )
    return FusionReport(tuple(names), flat[0].label, folds, seed, tuple(validated))


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


def _plain(name: str, fuse: Fusion, weights: Mapping[str, float]) -> Candidate:
    def scores(query: JudgedQuery) -> dict[int, float]:
        return fuse(query.rankings, weights)

    return Candidate(f"{name} {_named(weights)}", scores)


def _agreeing(fuse: Fusion, weights: Mapping[str, float], strength: float) -> Candidate:
    def scores(query: JudgedQuery) -> dict[int, float]:
        return fuse(query.rankings, by_agreement(query.rankings, weights, strength))

    return Candidate(f"{_named(weights)} agreement {strength:g}", scores)


def _exact(fuse: Fusion, weights: Mapping[str, float], factor: float) -> Candidate:
    def scores(query: JudgedQuery) -> dict[int, float]:
        return fuse(query.rankings, for_exact_words(query.text, weights, factor))

    return Candidate(f"{_named(weights)} exact × {factor:g}", scores)
