"""Progress of an adaptation: bars on a terminal, lines where there is none, a file for a job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.cli.output import human_seconds, messages
from assistant.cli.running import progress_of
from indexes.progress import OnProgress, Progress

_EVERY = 30.0  # seconds between two lines of one stage


@contextmanager
def stages_of(job: Path | None, *, quiet: bool) -> Iterator[OnProgress]:
    """Where stages report to: as `progress_of`, with lines where bars would not be seen."""
    out = messages()
    if job is not None or quiet or out.is_terminal:
        with progress_of(job, quiet=quiet) as on_progress:
            yield on_progress
        return
    told: dict[str, float] = {}

    def line(progress: Progress) -> None:
        now, last = time.monotonic(), told.get(progress.stage)
        if last is not None and now - last < _EVERY:
            return
        told[progress.stage] = now
        out.print(in_words(progress), markup=False)

    yield line


def in_words(progress: Progress) -> str:
    """`encode: 64 of 1,152 passages, about 2 minutes left`."""
    if not progress.unit:
        return progress.stage
    total = "" if progress.total is None else f" of {progress.total:,}"
    left = (
        ""
        if progress.remaining is None or not progress.done
        else f", about {human_seconds(progress.remaining)} left"
    )
    return f"{progress.stage}: {progress.done:,}{total} {progress.unit}{left}"
