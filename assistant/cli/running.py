"""Progress of a command: bars for a person, a file where it runs as a job of the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.output import progress_bars
from assistant.jobs import JobReporter
from indexes.progress import OnProgress

JobOption = Annotated[Path | None, typer.Option("--job", hidden=True)]


@contextmanager
def progress_of(job: Path | None, *, quiet: bool) -> Iterator[OnProgress]:
    """Where the work reports to: the job's folder, else bars on standard error unless `quiet`."""
    with ExitStack() as stack:
        if job is not None:
            yield stack.enter_context(JobReporter(job))
        else:
            yield stack.enter_context(progress_bars(quiet=quiet))
