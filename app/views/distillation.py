"""Distillation: runs with their curves, and starting a recipe."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.components.again_jobs import go_on
from app.components.context import opened
from app.components.distillation_comparison import show_comparison
from app.components.distillation_runs import show_run, show_runs
from app.components.distillation_start import DISTILLING, ESTIMATING, show_start
from app.components.notices import errors_shown
from app.components.progress import show_ended, show_jobs
from assistant.distillation.looking import find_runs, shipped_recipes


def _runs(folder: Path, *, live: bool) -> None:
    typed = st.text_input("Folder with runs", str(folder), key="runs-folder").strip()
    chosen = Path(typed or str(folder)).expanduser()
    none_yet = chosen == folder and not folder.is_dir()
    found = [] if none_yet else find_runs(chosen)
    if not found:
        st.markdown("There is no run in this folder yet.")
        return
    looked_at = show_runs(found)
    if len(looked_at) == 1:
        show_run(looked_at[0], live=live)
    elif looked_at:
        show_comparison([run.folder for run in looked_at])


def main() -> None:
    home = opened()
    runs = home.workspace.settings.home / "distillation"
    st.header("Distillation", anchor=False)
    st.caption(
        "Training a small model on what a large one knows. Recipes and their parts are explained "
        "in docs/distillation.md."
    )
    with st.container():  # always there, so that what is below does not begin anew
        for title in (DISTILLING, ESTIMATING):
            show_ended(home.jobs, show_jobs(home.jobs, title), go_on(home.jobs))
    live = any(
        job.title.startswith(DISTILLING) and job.state == "running" for job in home.jobs.list()
    )
    titles = ["Runs", "Start a recipe"]
    looking, starting = st.tabs(titles, key="distillation-tab", on_change="rerun")
    with looking, errors_shown():
        _runs(runs, live=live)
    with starting, errors_shown():
        show_start(home.jobs, shipped_recipes(), runs)


with errors_shown():
    main()
