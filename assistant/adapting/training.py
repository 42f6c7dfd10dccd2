"""Training one part within its share of the budget, through the distillation core."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant.adapting.judging import Role
from assistant.adapting.recipes import batch_of, checkpoint_every, steps_within
from assistant.adapting.work import WorkFolder
from assistant.distillation.estimate import estimate
from assistant.distillation.loop import Step
from assistant.distillation.recipe import Recipe
from assistant.distillation.run import finished_run
from assistant.distillation.run_folder import RunFolder
from indexes.progress import OnProgress, Progress

MakeRecipe = Callable[[int, int], Recipe]
"""(steps, steps between checkpoints) to a recipe."""
_TIMED_STEPS = 8


def train(
    role: Role,
    make: MakeRecipe,
    examples: int,
    seconds: float,
    work: WorkFolder,
    on_progress: OnProgress,
) -> RunFolder:
    """Train a part, or go on with its run; a finished run is returned as it is.

    How many steps fit into the time is measured once and then decided, so that a resumed run is
    the same run.

    Raises:
        As `run_recipe`.
    """
    noted = f"{role}_steps"
    plan = work.plan
    if noted not in plan:
        on_progress(Progress(f"time {role}", 0, 1, "", 0.0))
        a_step, _ = timed(make, work.runs)
        steps = steps_within(seconds, a_step, examples, batch_of(make(1, 1)))
        plan = work.decide(**{noted: [steps, checkpoint_every(a_step)]})
    steps, every = plan[noted]
    recipe = make(int(steps), int(every))
    started = time.monotonic()

    def tell(_: int, step: Step) -> None:
        spent = time.monotonic() - started
        on_progress(
            Progress(f"train {role}", step.step, step.steps, "steps", spent, step.remaining)
        )

    return finished_run(recipe, work.runs, on_step=tell)


def timed(make: MakeRecipe, root: Path) -> tuple[float, dict[str, Any]]:
    """Seconds a step on this machine, from a few real ones, and the estimate that has them."""
    found = estimate(make(_TIMED_STEPS, _TIMED_STEPS), root)
    return float(found["seconds"]) / max(1, int(found["steps"])), found
