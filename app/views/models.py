"""The models: who does what, what there is and how fast it runs here; fetch and remove."""

from __future__ import annotations

import streamlit as st

from app.components.again_jobs import go_on
from app.components.context import Opened, opened
from app.components.model_roles import show_roles, show_stale
from app.components.models import Actions, show_model
from app.components.notices import errors_shown
from app.components.progress import show_ended, show_jobs
from app.components.reader import fetch, reader_in_force
from app.components.text import plain
from assistant.models.roles import roles, stale_indexes
from assistant.models.speed import speeds
from assistant.warming import is_warming_up

_MEASURE, _FETCH = "measure the speed of ", "fetch "


def _measure(home: Opened, names: list[str]) -> None:
    with errors_shown():
        title = f"{_MEASURE}{' '.join(names) or 'all weights'}"
        home.jobs.start(title, ["models", "bench", *names])


def _remove(home: Opened, name: str) -> None:
    with errors_shown():
        home.workspace.models.remove(name)
        st.toast(plain(f"{name} is removed."), icon=":material/delete:")


def _stale(home: Opened) -> None:
    """Indexes of other encoders. While these are being loaded nobody waits for them here: a page
    that is left in the middle of its run keeps the next one from following work."""
    if is_warming_up():
        st.fragment(run_every=1.0, key="encoders-loading")(_until_loaded)()
    elif list(home.workspace.indexes()):
        show_stale(home.jobs, stale_indexes(home.workspace))


def _until_loaded() -> None:
    if not is_warming_up():
        st.rerun()


def main() -> None:
    home = opened()
    settings = home.workspace.settings
    st.header("Models", anchor=False)
    models = home.workspace.models.status()
    _, words = reader_in_force(settings, models)
    st.markdown(f"Answers are written by: **{plain(words)}**")
    with st.container():  # always there, so that what is below does not begin anew
        for part in (_FETCH, _MEASURE):
            show_ended(home.jobs, show_jobs(home.jobs, part), go_on(home.jobs))
    running = [job.title for job in home.jobs.list() if job.state == "running"]
    if any(title.startswith("index ") for title in running):
        st.caption(":material/sync: An index is being made or encoded; the library shows how far.")
    busy = any(title.startswith((_FETCH, _MEASURE)) for title in running)
    with st.expander("Who does what", icon=":material/tune:"):
        show_roles(settings, roles(settings, models))
    stale = st.container()
    actions = Actions(
        fetch=lambda name: fetch(home.jobs, name, f"{_FETCH}{name}"),
        measure=lambda name: _measure(home, [name]),
        remove=lambda name: _remove(home, name),
    )
    if not busy and any(model.state == "installed" for model in models):
        if st.button("Measure all of them", icon=":material/speed:"):
            _measure(home, [])
            st.rerun()
        st.caption("A few seconds each. Other work on this computer makes the figures lower.")
    measured = speeds(settings.home)
    for status in models:
        show_model(status, measured.get(status.name), actions, busy=busy)
    with stale:
        _stale(home)


with errors_shown():
    main()
