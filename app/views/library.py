"""The library: indexes with their documents; add, update, watch, check; work under way."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.components.adapt_choice import PHASES
from app.components.adapt_tab import adapt_tab
from app.components.context import Opened, opened
from app.components.index_tabs import documents_tab, show_last_change, sources_tab, upkeep_tab
from app.components.index_work import KINDS, IndexWork
from app.components.library import adding_form, index_rows
from app.components.notices import errors_shown
from app.components.plans import show_plan
from app.components.progress import show_ended, show_jobs
from app.components.text import plain
from assistant.errors import UsageError
from assistant.jobs import Job
from indexes.manifest import Manifest
from indexes.usage import folder_size


# An index's files change with its manifest; work under way is looked at again after a while.
@st.cache_data(ttl=30, max_entries=200, show_spinner=False)
def _size(folder: Path, updated: str) -> int:
    return folder_size(folder)


def _go_on(home: Opened, job: Job) -> None:
    """Do the same again; what was read and encoded before is taken over."""
    with errors_shown():
        home.jobs.repeat(job.id)


def _planned(home: Opened, ended: list[Job]) -> None:
    for job in ended:
        plan = home.jobs.result(job.id) if job.title.startswith("plan ") else None
        if plan is not None and job.state == "done":
            work = IndexWork(home, str(plan["index"]))
            show_plan(
                job.id,
                plan,
                home.workspace.free_bytes(),
                lambda work=work, job=job: work.carry_out(job),  # type: ignore[misc]
                lambda job=job: home.jobs.forget(job.id),  # type: ignore[misc]
            )


def _new_index(home: Opened, names: list[str]) -> None:
    with st.expander("New index", icon=":material/add:", expanded=not names), errors_shown():
        # A number in the key: after an index was made the form is empty again.
        key = f"new-index-{st.session_state.setdefault('made', 0)}"
        adding = adding_form(key, named=True, button="Make the index")
        if adding is None:
            return
        if adding.name in names:
            raise UsageError(
                f"there is an index '{adding.name}' already", remedy="add to it, or take another"
            )
        IndexWork(home, adding.name).add([], adding)
        st.session_state["made"] += 1
        st.rerun()


def _index(home: Opened, manifest: Manifest) -> None:
    work = IndexWork(home, manifest.name)
    show_last_change(work)
    # With a key the open tab stays open when something appears above.
    documents, add, sources, upkeep, adapt = st.tabs(
        ["Documents", "Add", "Sources", "Upkeep", "Adapt"], key=f"tabs-{manifest.name}"
    )
    with documents, errors_shown():
        documents_tab(work, manifest)
    with add, errors_shown():
        if adding := adding_form(f"add-{manifest.name}", named=False, button="Add"):
            work.add(manifest.sources, adding)
            st.rerun()
    with sources, errors_shown():
        sources_tab(work, manifest)
    with upkeep, errors_shown():
        upkeep_tab(work, manifest)
    with adapt, errors_shown():
        adapt_tab(work, manifest)


def main() -> None:
    home = opened()
    st.header("Library", anchor=False)
    with st.container():
        ended = show_jobs(home.jobs, KINDS, names=PHASES)
        show_ended(home.jobs, ended, lambda job: _go_on(home, job))
        _planned(home, ended)
    manifests = {manifest.name: manifest for manifest in home.workspace.indexes()}
    if manifests:
        sizes = {n: _size(home.workspace.index_folder(n), m.updated) for n, m in manifests.items()}
        watched = IndexWork(home, "").watches.wanted()
        rows = index_rows(list(manifests.values()), sizes, watched)
        st.dataframe(rows, hide_index=True, width="stretch", alt="Indexes")
    else:
        st.markdown("There is no index yet. Make one from files, a folder or a web page.")
    _new_index(home, sorted(manifests))
    if manifests:
        names, default = sorted(manifests), home.workspace.settings.retrieval.index
        name = st.selectbox(
            "Index",
            names,
            index=names.index(default) if default in names else 0,
            format_func=plain,
            key="library-index",
            persist_state="session",
        )
        _index(home, manifests[name])


with errors_shown():
    main()
