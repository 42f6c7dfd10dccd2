"""Training on those examples alone on which student and teacher disagree.

After the idea of HARD, Nix et al., 2023, arXiv 2305.14890, whose abstract alone could be read: it
makes inputs on which the two disagree by learned augmentations of images. Here nothing is made: the
examples that are there are chosen from.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from assistant.distillation.batch_plan import cut_batches
from assistant.distillation.losses.divergences import GeneralisedJSD
from assistant.distillation.modes import autocast, evaluating
from assistant.distillation.run_folder import RunFolder
from assistant.distillation.tasks.base import Task, on_device
from assistant.distillation.teachers import Teacher, same_choices
from assistant.errors import TrainingError, UsageError


def disagreed(
    task: Task, folder: RunFolder, generation: int, student: Any, teacher: Teacher | None
) -> NDArray[np.int64] | None:
    """The units that a generation is trained on, ascending; None where the recipe takes all.

    What was measured is kept in the run's folder: a run that is gone on with reads it there.

    Args:
        student: as it is before the first step, on the device.

    Raises:
        UsageError: the two cannot be compared; the reason is said.
        TrainingError: what the folder holds is of other data.
    """
    curriculum = task.recipe.curriculum
    if curriculum.order != "disagreement":
        return None
    name = f"disagreement-{generation}.json"
    if (folder.path / name).is_file():
        values = np.array(folder.read_json(name)["divergences"], np.float64)
        if len(values) != len(task.units.lengths):
            raise TrainingError(
                f"{name} has {len(values)} divergences, and the data {len(task.units.lengths)}",
                remedy="start the run anew, without --resume",
            )
        return most_disagreed(values, curriculum.share)
    values = divergences(task, student, teacher)
    chosen = most_disagreed(values, curriculum.share)
    record = {
        "share": curriculum.share,
        "units": len(values),
        "chosen": len(chosen),
        "least": float(values.min()),
        "least_chosen": float(values[chosen].min()),
        "greatest": float(values.max()),
        "divergences": values.tolist(),  # a number read from JSON is the one that was written
    }
    folder.write_json(name, record)
    return chosen


def most_disagreed(values: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    """The places of the largest ⌈share · U⌉ of (U,) values, ascending; of equal ones the first."""
    return np.sort(np.argsort(-values, kind="stable")[: chosen_count(share, len(values))])


def chosen_count(share: float, units: int) -> int:
    """How many of the units are trained on: ⌈share · units⌉, and one at least."""
    return max(1, math.ceil(share * units))


def divergences(task: Task, student: Any, teacher: Teacher | None) -> NDArray[np.float64]:
    """How far student and teacher are apart in each unit, (U,), between 0 and ln 2.

    The mean over a unit's rows of the Jensen–Shannon divergence ½·KL(p‖m) + ½·KL(q‖m) with
    m = (p + q) / 2. A unit is what batches are made of: an example, a window of one, or the
    examples that share a prefix.

    Raises:
        UsageError: teacher or task has nothing to compare.
    """
    if not task.own_choices:
        raise UsageError(
            f"in the task '{task.name}' a row's choices are the batch's other texts, so that an "
            "example has no divergence of its own",
            remedy="set curriculum.order to random",
        )
    comparable = same_choices(
        teacher, "curriculum.order disagreement", otherwise="set curriculum.order to random"
    )
    lengths = task.units.lengths
    found = np.zeros(len(lengths))
    device = next(student.parameters()).device
    with (
        evaluating(student),
        torch.no_grad(),
        autocast(student, task.recipe.loop.precision),
    ):
        for units in cut_batches(np.arange(len(lengths)), lengths, task.recipe.loop):
            batch = on_device(task.collate(units), device)
            rows = task.rows(student, batch)
            values = GeneralisedJSD(temperature=1, beta=0.5)(
                replace(rows, teacher=comparable.rows(batch, rows))
            )
            owners = task.owners(batch, rows).cpu().numpy()
            sums = np.bincount(owners, values.double().cpu().numpy(), len(units))
            found[units] = sums / np.bincount(owners, minlength=len(units)).clip(1)
    return found
