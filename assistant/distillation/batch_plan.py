"""Which units make up every batch of a run, decided before it starts.

The plan depends on the lengths, the recipe and its seed alone. So a resumed run has the very
batches that the uninterrupted one would have had, and steps and tokens are known beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assistant.distillation.recipe import Curriculum, Loop

RANDOM = Curriculum()
Plan = list[NDArray[np.int64]]

_POOL = 50  # batches that are cut from one pool, sorted by length: little padding, still random


def plan_batches(
    lengths: NDArray[np.int64],
    difficulty: NDArray[np.float64],
    loop: Loop,
    curriculum: Curriculum = RANDOM,
    *,
    generation: int = 1,
    among: NDArray[np.int64] | None = None,
) -> Plan:
    """The batches of all steps, `accumulate` for each step.

    Args:
        lengths: (U,) tokens of each unit.
        difficulty: (U,).
        generation: another one is shuffled in another way.
        among: the units that are trained on, by number; None for all. An epoch is one pass over
            these.
    """
    if among is not None:
        part = plan_batches(
            lengths[among], difficulty[among], loop, curriculum, generation=generation
        )
        return [among[places] for places in part]
    wanted = None if loop.steps is None else loop.steps * loop.accumulate
    draws = math.inf if loop.epochs is None else max(1, round(loop.epochs * len(lengths)))
    per_batch = loop.batch_size or max(1.0, (loop.batch_tokens or 1) / float(lengths.mean()))
    pool = max(1, math.ceil(_POOL * per_batch))
    total = draws if wanted is None else wanted * per_batch
    rng = np.random.default_rng([loop.seed, generation])
    plan: Plan = []
    drawn = 0
    for units in _pools(difficulty, curriculum, pool, total, rng):
        units = units[: int(min(len(units), draws - drawn))]
        drawn += len(units)
        batches = cut_batches(units, lengths, loop)
        plan += [batches[place] for place in rng.permutation(len(batches))]
        if drawn >= draws or (wanted is not None and len(plan) >= wanted):
            break
    steps = max(1, len(plan) // loop.accumulate) if wanted is None else loop.steps or 1
    while len(plan) < steps * loop.accumulate:  # fewer batches than one step accumulates
        plan += plan[: steps * loop.accumulate - len(plan)]
    return plan[: steps * loop.accumulate]


def _pools(
    difficulty: NDArray[np.float64],
    curriculum: Curriculum,
    size: int,
    total: float,
    rng: np.random.Generator,
) -> Iterator[NDArray[np.int64]]:
    count = len(difficulty)
    if curriculum.order != "easy-to-hard":
        while True:
            order = rng.permutation(count)
            for at in range(0, count, size):
                yield order[at : at + size]
    by_difficulty = np.argsort(difficulty, kind="stable")
    drawn = 0
    while True:
        part = min(1.0, drawn / (curriculum.until * total))
        competence = math.sqrt(curriculum.start**2 + (1 - curriculum.start**2) * part)
        easiest = by_difficulty[: max(1, math.ceil(competence * count))]
        take = min(size, len(easiest))
        drawn += take
        yield rng.choice(easiest, take, replace=False)


def cut_batches(units: NDArray[np.int64], lengths: NDArray[np.int64], loop: Loop) -> Plan:
    """Batches of units of like length; a batch's padded tokens are at most `batch_tokens`."""
    units = units[np.argsort(lengths[units], kind="stable")]
    if loop.batch_size is not None:
        return [units[at : at + loop.batch_size] for at in range(0, len(units), loop.batch_size)]
    batches: Plan = []
    begin = 0
    for place in range(1, len(units) + 1):
        full = place == len(units) or (
            int(lengths[units[place]]) * (place - begin + 1) > (loop.batch_tokens or 0)
        )
        if full:
            batches.append(units[begin:place])
            begin = place
    return batches
