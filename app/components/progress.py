"""How far the work in the background is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import streamlit as st

from app.components.notices import errors_shown, sentence
from app.components.text import plain
from assistant.jobs import Job, Jobs
from indexes.progress import Progress

EVERY = 1.0  # seconds between two looks at running work


def progress_text(progress: Progress, names: Mapping[str, str] | None = None) -> str:
    """`encode: 120 of 300 passages · 41 per second · about 5 s left`; not escaped.

    Args:
        names: words for stages in place of what the work calls them.
    """
    stage = (names or {}).get(progress.stage, progress.stage)
    is_bytes = progress.unit == "bytes"
    unit = "" if is_bytes else f" {progress.unit}"
    total = f" of {_amount(progress.total, is_bytes)}" if progress.total else ""
    if not progress.unit:
        return stage
    parts = [f"{stage}: {_amount(progress.done, is_bytes)}{total}{unit}"]
    finished = progress.total is not None and progress.done >= progress.total
    if progress.rate > 0 and not finished:
        parts.append(f"{_amount(progress.rate, is_bytes)} per second")
    if progress.remaining is not None and not finished:
        parts.append(f"about {duration(progress.remaining)} left")
    return " · ".join(parts)


def fraction(progress: Progress) -> float:
    """Between 0 and 1; 0 where the total is not known."""
    return min(1.0, progress.done / progress.total) if progress.total else 0.0


def duration(seconds: float) -> str:
    """`40 s`, `3 min`, `2 h 10 min`."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def size_text(count: float) -> str:
    """`3 kB`, `1.1 GB`."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def show_jobs(
    jobs: Jobs,
    title_part: str | tuple[str, ...] = "",
    *,
    stoppable: bool = True,
    names: Mapping[str, str] | None = None,
) -> list[Job]:
    """Running jobs whose title contains `title_part`, looked at again until they end.

    Then the whole page runs again, so that it shows what the work brought. Returns the jobs
    that have ended.

    Args:
        title_part: several of them: titles that begin with one.
        names: words for the stages; see `progress_text`.
    """
    found = [job for job in jobs.list() if _is_meant(job, title_part)]
    running = [job.id for job in found if job.state == "running"]
    if running:
        # With the page in its key: under the same key on another page, which shows the same work,
        # it would not be run again by itself.
        key = f"jobs-{urlsplit(st.context.url or '').path}-{title_part}"
        st.fragment(run_every=EVERY, key=key)(_watch)(jobs, running, stoppable, names)
    return [job for job in found if job.state != "running"]


def show_ended(
    jobs: Jobs, ended: Sequence[Job], go_on: Callable[[Job], None] | None = None
) -> None:
    """What became of the work: failures until they are put away; `go_on` starts one again."""
    for job in ended:
        if job.state == "failed":
            stopped = job.message in ("", "stopped")
            how = "was stopped" if stopped else "did not end"
            with st.container(border=True):
                st.markdown(f":material/error: **{plain(sentence(job.title)[:-1])}** {how}")
                if not stopped:
                    st.markdown(plain(sentence(job.message)))
                st.caption("What was done so far is kept; starting it again goes on from there.")
                with st.container(horizontal=True):
                    if go_on is not None:
                        st.button("Go on", key=f"go-on-{job.id}", on_click=go_on, args=(job,))
                    st.button(
                        "Put away", key=f"forget-{job.id}", on_click=jobs.forget, args=(job.id,)
                    )


def mention_ended(ended: Sequence[Job]) -> None:
    """One line for each failure, where there is no room for more."""
    for job in ended:
        if job.state == "failed":
            why = job.message or "it was stopped"
            text = f"{job.title} did not end: {why} (see the library)"
            st.caption(f":material/error: {plain(sentence(text))}")


def _watch(
    jobs: Jobs, ids: Sequence[str], stoppable: bool, names: Mapping[str, str] | None
) -> None:
    current = [jobs.get(job_id) for job_id in ids]
    if any(job is None or job.state != "running" for job in current):
        st.rerun()
    for job in current:
        if job is not None:
            _show_running(job, jobs.stop if stoppable else None, names)


def _show_running(
    job: Job, stop: Callable[[str], None] | None, names: Mapping[str, str] | None
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.progress:
            latest = job.progress[-1]
            text = f"{job.title} – {progress_text(latest, names)}"
            st.progress(fraction(latest), text=plain(text))
        else:
            st.progress(0.0, text=plain(f"{job.title} – starting"))
        if stop is not None and st.button("Stop", key=f"stop-{job.id}"):
            with errors_shown():
                stop(job.id)


def _is_meant(job: Job, title_part: str | tuple[str, ...]) -> bool:
    if isinstance(title_part, tuple):
        return job.title.startswith(title_part)
    return title_part in job.title


def _amount(count: float, is_bytes: bool) -> str:
    if is_bytes:
        return size_text(count)
    return f"{count:,.0f}" if count >= 10 or count == int(count) else f"{count:.1f}"
