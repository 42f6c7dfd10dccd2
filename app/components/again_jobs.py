"""Starting work again that did not end."""

from __future__ import annotations

from collections.abc import Callable

from app.components.notices import errors_shown
from assistant.jobs import Job, Jobs


def go_on(jobs: Jobs) -> Callable[[Job], None]:
    """For the button of a failed job: does the same again in its place."""

    def again(job: Job) -> None:
        with errors_shown():
            jobs.repeat(job.id)

    return again
