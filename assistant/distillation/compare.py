"""Two or more runs side by side: what differs in their recipes, and in what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.distillation.run_folder import RunFolder
from assistant.errors import UsageError

_ROUNDS = 2000
_PER_EXAMPLE = ("f1", "em", "exact", "accuracy", "loss")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` found; every list has one value for each run, in the order given.

    Attributes:
        settings: recipe keys, dotted, whose values are not all the same.
        measures: the last loss, tokens, seconds, and what the evaluation measured.
        intervals: of measures of which each example's value is known.
        differences: the mean difference to the first run on the same examples, with its interval
            (paired bootstrap); None for the first run, and where examples are not the same.
    """

    runs: list[str]
    settings: dict[str, list[Any]]
    measures: dict[str, list[float | None]]
    intervals: dict[str, list[Interval | None]]
    differences: dict[str, list[Interval | None]]


def compare(runs: Sequence[RunFolder], *, seed: int = 0) -> Comparison:
    """Compare finished runs with the first.

    Raises:
        UsageError: fewer than two runs, or one is not finished.
    """
    if len(runs) < 2:
        raise UsageError("one run has nothing to be compared with", remedy="name two or more")
    for run in runs:
        if run.state["state"] != "finished":
            raise UsageError(f"{run.path.name} is not finished", remedy="go on with it by --resume")
    flat = [_flat(run.recipe.dump()) for run in runs]
    keys = list(dict.fromkeys(key for one in flat for key in one))
    settings = {key: [one.get(key) for one in flat] for key in keys}
    results = [_results(run) for run in runs]
    names = list(dict.fromkeys(name for one in results for name in one))
    records = [run.read_lines("evaluation-examples.jsonl") for run in runs]
    shared = [name for name in _PER_EXAMPLE if all(rows and name in rows[0] for rows in records)]
    return Comparison(
        runs=[run.path.name for run in runs],
        settings={
            key: values
            for key, values in settings.items()
            if any(value != values[0] for value in values)
        },
        measures={name: [one.get(name) for one in results] for name in names},
        intervals={
            name: [_bootstrap([row[name] for row in rows], seed) for rows in records]
            for name in shared
        },
        differences={
            name: [None, *(_paired(records[0], rows, name, seed) for rows in records[1:])]
            for name in shared
        },
    )


def _results(run: RunFolder) -> dict[str, float]:
    rows = run.table("curves.csv")
    return {
        "last loss": float(rows[-1]["loss"]),
        "tokens": float(sum(int(row["tokens"]) for row in rows)),
        "seconds": round(sum(float(row["seconds"]) for row in rows), 1),
        **run.read_json("evaluation.json"),
    }


def _flat(value: Any, at: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        pairs = value.items()
    elif isinstance(value, list) and value:
        pairs = {str(number): item for number, item in enumerate(value)}.items()
    else:
        return {at: value}
    return {
        key: item
        for name, inner in pairs
        for key, item in _flat(inner, f"{at}.{name}" if at else str(name)).items()
    }


def _paired(
    first: list[dict[str, Any]], other: list[dict[str, Any]], name: str, seed: int
) -> Interval | None:
    ours = {row["id"]: row[name] for row in first}
    theirs = {row["id"]: row[name] for row in other}
    if ours.keys() != theirs.keys():
        return None
    return _bootstrap([theirs[key] - ours[key] for key in ours], seed)


def _bootstrap(values: Sequence[float], seed: int) -> Interval:
    data = np.asarray(values, float)
    draws = np.random.default_rng(seed).integers(0, len(data), (_ROUNDS, len(data)))
    low, high = np.quantile(data[draws].mean(1), [0.025, 0.975])
    return Interval(float(data.mean()), float(low), float(high))
