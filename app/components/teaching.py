"""Letting a teacher write: who teaches, for how long; how far it is."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.notices import errors_shown
from app.components.progress import duration, show_jobs, size_text
from app.components.reader import FETCH_TITLE, fetch
from app.components.text import plain
from app.components.words import counted
from assistant.jobs import Jobs
from assistant.knowledge.store import Counts
from assistant.models.catalogue import find_entry
from assistant.models.store import ModelStatus
from assistant.settings import Settings

TEACHING = "prepare knowledge of "
BUDGETS = {"10m": 600, "30m": 1_800, "1h": 3_600, "2h": 7_200, "8h": 28_800}
_ROLES = ("answerer", "tiny-answerer")


def teachers_there(settings: Settings, models: Sequence[ModelStatus]) -> dict[str, str]:
    """Who could teach, as the command calls them, each with words for a list; not escaped."""
    installed = {m.name: m for m in models if m.state == "installed" and m.role in _ROLES}
    found: dict[str, str] = {}
    answerer = settings.models.answerer
    if answerer in installed or answerer.endswith(".gguf"):
        found["answerer"] = f"{answerer} on this computer"
    for name, model in installed.items():
        if name != answerer and model.role == "answerer":
            found[name] = f"{name} on this computer"
    if settings.models.remote_url:
        name = settings.models.remote_model or "a model"
        found["remote"] = f"{name} at {settings.models.remote_url} (passages are sent there)"
    return found


def teaching_arguments(index: str, teacher: str, budget: str, samples: int) -> list[str]:
    """The command that lets it write."""
    options = ["--teacher", teacher, "--budget", budget, "--n", str(samples)]
    return ["knowledge", "build", index, *options]


def show_teaching(
    jobs: Jobs, index: str, teachers: dict[str, str], left: int, running: bool
) -> None:
    """The form that starts a run; without a teacher the offer to fetch one."""
    if not teachers:
        _show_missing(jobs)
        return
    if running:
        st.caption("Stop it at any time: what is written stays, and the next run goes on from it.")
        return
    if not left:
        st.markdown("Every passage of this index was worked on.")
        return
    with st.form(f"teach-{index}"):
        teacher = st.selectbox(
            "Teacher", list(teachers), format_func=lambda name: teachers.get(name, name)
        )
        time, often = st.columns(2)
        budget = time.selectbox(
            "For at most", list(BUDGETS), index=1, format_func=lambda b: duration(BUDGETS[b])
        )
        samples = often.number_input(
            "Answers to choose the best from", 1, 8, 2, help="More are better and take longer."
        )
        sent = st.form_submit_button("Let it write", type="primary", icon=":material/play_arrow:")
    if sent:
        with errors_shown():
            arguments = teaching_arguments(index, teacher, budget, int(samples))
            jobs.start(f"{TEACHING}{index}", arguments)
            st.rerun()
    st.caption(
        f"{counted(left, 'passage')} left, the most useful first. The computer is busy while it "
        "writes."
    )


def show_counts(counts: Counts, passages: int, searchable: int) -> None:
    """How much is prepared, and what was not kept and why."""
    covered, given_up = counts.passages.get("done", 0), counts.passages.get("failed", 0)
    entries = sum(counts.entries.values())
    with st.container(horizontal=True, gap="large"):
        for label, value in (
            ("Passages covered", f"{covered:,} of {passages:,}"),
            ("Entries", f"{entries:,}"),
            ("Approved", f"{counts.entries['approved']:,}"),
            ("Searched", f"{searchable:,}"),
        ):
            st.metric(label, value, width="content")
    reasons = [
        f"{title}: " + ", ".join(f"{count:,} {reason}" for reason, count in why.items())
        for title, why in (
            (f"{counted(given_up, 'passage')} given up", counts.failed),
            ("Not kept", counts.dropped),
        )
        if why
    ]
    for reason in reasons:
        st.caption(plain(reason))


def _show_missing(jobs: Jobs) -> None:
    show_jobs(jobs, FETCH_TITLE)
    if any(job.title == FETCH_TITLE and job.state == "running" for job in jobs.list()):
        return
    with st.container(border=True):
        st.markdown(
            "**:material/school: There is no teacher on this computer.** The language model that "
            "writes answers can teach; so can an endpoint that is set under Settings."
        )
        st.button(
            f"Fetch the language model ({size_text(find_entry('answerer').bytes)})",
            icon=":material/download:",
            on_click=fetch,
            args=(jobs, "answerer", FETCH_TITLE),
        )
