"""Running a change of an index, or planning it, for the terminal and for the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from assistant.cli.index_views import plan_json, result_json, show_plan, show_result
from assistant.cli.output import progress_bars, write_json
from assistant.errors import IndexLockedError
from assistant.jobs import JobReporter
from assistant.workspace import Workspace
from indexes.build import IndexWriter
from indexes.documents import Source
from indexes.progress import OnProgress, Progress
from indexes.publishing import BuildResult

Result = TypeVar("Result")

JobFolder = Annotated[Path | None, typer.Option("--job", hidden=True)]

_PATIENCE = 600.0  # seconds
_RETRY = 0.5


def plan_change(
    opened: Workspace, name: str, sources: Sequence[Source], job: Path | None, *, as_json: bool
) -> None:
    """Look what a build would change; for the page, into the job's result."""
    with ExitStack() as stack:
        report = stack.enter_context(JobReporter(job)) if job is not None else None
        if report is not None:
            report(Progress("looking at every document", 0, None, "", 0.0))
        plan = opened.writer(name).plan(sources)
        if report is not None:
            report.result(
                {"index": name, "sources": [source.spec for source in sources], **plan_json(plan)}
            )
    show_plan(plan, as_json=as_json)


def patiently(work: Callable[[], Result], on_progress: OnProgress) -> Result:
    """Do what needs an index's lock, after whoever holds it just now.

    A watch may take over the very file that was uploaded a moment ago; nobody sits before a job
    to try it again.

    Raises:
        IndexLockedError: the other has held it for ten minutes.
    """
    began = time.monotonic()
    while True:
        try:
            return work()
        except IndexLockedError:
            waited = time.monotonic() - began
            if waited > _PATIENCE:
                raise
            on_progress(Progress("wait for other work", 0, None, "", waited))
            time.sleep(_RETRY)


def run_change(
    opened: Workspace, name: str, work: Any, job: Path | None, *, as_json: bool
) -> BuildResult:
    """Run a change of an index with progress on the terminal and, for the page, in a file."""
    with ExitStack() as stack:
        on_progress = stack.enter_context(progress_bars(quiet=as_json or job is not None))
        if job is not None:
            on_progress = reporter = stack.enter_context(JobReporter(job))
        writer: IndexWriter = opened.writer(name, on_progress)
        if job is None:
            result: BuildResult = work(writer)
        else:
            result = patiently(lambda: work(writer), reporter)
            reporter.result(result_json(result))
    if as_json:
        write_json(result_json(result))
    else:
        show_result(result)
    return result
