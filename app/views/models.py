"""The models: what there is, what is installed, who writes the answers."""

from __future__ import annotations

import streamlit as st

from app.components.context import opened
from app.components.models import show_model
from app.components.notices import errors_shown
from app.components.progress import show_ended, show_jobs
from app.components.reader import fetch, reader_in_force
from app.components.text import plain


def main() -> None:
    home = opened()
    st.header("Models", anchor=False)
    models = home.workspace.models.status()
    _, words = reader_in_force(home.workspace.settings, models)
    st.markdown(f"Answers are written by: **{plain(words)}**")
    st.caption("Change it in the settings, under answering.")
    show_ended(home.jobs, show_jobs(home.jobs, "fetch "))
    running = {job.title for job in home.jobs.list() if job.state == "running"}
    for status in models:
        show_model(
            status,
            busy=any(title.startswith("fetch ") for title in running),
            fetch=lambda name: fetch(home.jobs, name, f"fetch {name}"),
        )


with errors_shown():
    main()
