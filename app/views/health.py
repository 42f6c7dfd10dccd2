"""Health: what stands how, what would mend it, how long turns took, and the logs."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.components.context import Opened, opened
from app.components.findings import show_findings, summary
from app.components.index_work import KINDS
from app.components.logs import show_logs
from app.components.notices import errors_shown
from app.components.progress import show_ended, show_jobs
from app.components.text import plain
from app.components.turn_times import show_turn_times
from assistant.doctor import examine
from assistant.findings import Mend
from assistant.jobs import Job
from assistant.logs import PAGE_LOG
from assistant.turn_times import recent_times

_KINDS = (*KINDS, "fetch ", "tidy")


def _mend(home: Opened, mend: Mend) -> None:
    with errors_shown():
        home.jobs.start(mend.title, mend.arguments)


def _go_on(home: Opened, job: Job) -> None:
    with errors_shown():
        home.jobs.repeat(job.id)


def _checks(home: Opened) -> None:
    findings = examine(home.workspace)
    st.markdown(plain(summary(findings)))
    running = {job.title for job in home.jobs.list() if job.state == "running"}
    show_findings(findings, running, lambda mend: _mend(home, mend))
    default = home.workspace.settings.retrieval.index
    names = sorted(manifest.name for manifest in home.workspace.indexes())
    if names:
        with (
            st.form("check-index", border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            name = st.selectbox(
                "Check an index thoroughly",
                names,
                index=names.index(default) if default in names else 0,
                format_func=plain,
            )
            if st.form_submit_button("Check it", icon=":material/health_and_safety:"):
                _mend(home, Mend("Check", f"check {name}", ("index", "verify", name)))
                st.rerun()


def _logs(home: Opened) -> None:
    files: dict[str, Path] = {"The page": home.workspace.settings.home / "logs" / PAGE_LOG}
    for job in home.jobs.list():
        files[f"{job.title} ({job.state}, {job.id[:4]})"] = home.jobs.log_file(job.id)
    show_logs(files)


def main() -> None:
    home = opened()
    st.header("Health", anchor=False)
    with st.container():
        ended = show_jobs(home.jobs, _KINDS)
        show_ended(home.jobs, ended, lambda job: _go_on(home, job))
    checks, times, logs = st.tabs(["Checks", "Times", "Logs"], key="health-tabs")
    with checks, errors_shown():
        _checks(home)
    with times, errors_shown():
        show_turn_times(recent_times(home.workspace.conversations))
    with logs, errors_shown():
        _logs(home)


with errors_shown():
    main()
