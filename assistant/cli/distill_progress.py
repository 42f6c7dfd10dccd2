"""How far a training is: a bar on a terminal, a line for each report, or a job's file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.cli.output import human_seconds, messages
from assistant.cli.running import progress_of
from indexes.progress import Progress

if TYPE_CHECKING:
    from assistant.distillation.loop import Step


@contextmanager
def training_steps(job: Path | None, *, quiet: bool) -> Iterator[Callable[[int, Step], None]]:
    """Where steps are told: a job's folder, else a bar or lines."""
    if job is None:
        with _training_bar(quiet=quiet) as on_step:
            yield on_step
        return
    with progress_of(job, quiet=True) as on_progress:
        begun: dict[int, float] = {}

        def tell(generation: int, step: Step) -> None:
            now = time.monotonic()
            seconds = now - begun.setdefault(generation, now - step.seconds)
            stage = f"train, generation {generation}" if generation > 1 else "train"
            on_progress(Progress(stage, step.step, step.steps, "steps", seconds, step.remaining))

        yield tell


@contextmanager
def _training_bar(*, quiet: bool) -> Iterator[Callable[[int, Step], None]]:
    """A bar on standard error; a line for each report where that is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from assistant.distillation.reports import step_line

    out = messages()
    if not out.is_terminal or quiet:
        yield (
            lambda generation, step: (
                None if quiet else out.print(step_line(generation, step), markup=False)
            )
        )
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        console=out,
    )
    tasks: dict[int, Any] = {}

    def on_step(generation: int, step: Step) -> None:
        if generation not in tasks:
            tasks[generation] = bar.add_task(f"generation {generation}", total=step.steps, state="")
        state = (
            f"loss {step.loss:.4f}  {step.tokens_per_second:,.0f} tokens/s  "
            f"{human_seconds(step.remaining)} left"
        )
        bar.update(tasks[generation], completed=step.step, state=state)

    with bar:
        yield on_step
