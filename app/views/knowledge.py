"""Knowledge: what a teacher prepared for an index, decided about; letting it write more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from app.components.again_jobs import go_on
from app.components.context import Opened, opened
from app.components.facts import passage_as_found
from app.components.notices import errors_shown, say_next
from app.components.prepared_entries import (
    PAGE,
    choose_entries,
    choose_page,
    show_decisions,
    show_entry,
    show_page,
)
from app.components.progress import show_ended, show_jobs
from app.components.source import open_source
from app.components.teaching import TEACHING, show_counts, show_teaching, teachers_there
from app.components.turn import Source
from assistant.errors import KnowledgeAssistantError
from assistant.knowledge.deciding import Decision, correct, decide, store_of
from assistant.knowledge.following import searchable_entries
from assistant.knowledge.looking import look
from assistant.knowledge.store import KnowledgeStore
from indexes.documents import Passage

_CHOSEN = "entries-version"  # another key after each decision: the table begins without a choice


def _again() -> None:
    st.session_state[_CHOSEN] = st.session_state.get(_CHOSEN, 0) + 1
    st.rerun()


def _entries(home: Opened, name: str, store: KnowledgeStore, teachers: Sequence[str]) -> None:
    index = home.workspace.index(name)

    def act(entries: Sequence[str], decision: Decision) -> None:
        with errors_shown(), st.spinner("Making it searchable…"):
            decide(home.workspace, name, entries, decision)
            say_next("Done.", ":material/check:")
            _again()

    def put_right(entry: str, said: str) -> None:
        with errors_shown(), st.spinner("Making it searchable…"):
            correct(home.workspace, name, entry, said)
            say_next("Corrected.", ":material/check:")
            _again()

    def show(passage: Passage) -> None:
        document = None
        with suppress(KnowledgeAssistantError):
            document = index.document(passage.document_id)
        open_source(Source(passage_as_found(passage), (), ()), document)

    key = f"entries-{name}"
    wanted = choose_entries(teachers, key)
    total = look(store.path, wanted, limit=0).total
    offset = choose_page(total, f"{key}-page")
    found = look(store.path, wanted, offset=offset, limit=PAGE)
    version = st.session_state.get(_CHOSEN, 0)
    chosen = show_page(found, f"{key}-table-{version}-{offset}-{hash(wanted)}")
    if not chosen:
        if found.entries:
            st.caption("Choose one to read where it comes from, or several to decide at once.")
        return
    show_decisions(chosen, act)
    if len(chosen) == 1:
        (entry,) = chosen
        show_entry(entry, index.store.passage(entry.passage_id), show, put_right)


def _index(home: Opened, name: str) -> None:
    store, manifest = store_of(home.workspace, name), home.workspace.index(name).manifest
    title = f"{TEACHING}{name}"
    with st.container():  # always there, so that what is below does not begin anew
        ended = [job for job in show_jobs(home.jobs, title) if job.title == title]
        show_ended(home.jobs, ended, go_on(home.jobs))
    running = any(job.title == title and job.state == "running" for job in home.jobs.list())
    counts = store.counts() if store.exists else None
    left = manifest.passages - (sum(counts.passages.values()) if counts else 0)
    teachers = teachers_there(home.workspace.settings, home.workspace.models.status())
    if counts is None or not sum(counts.entries.values()):
        with st.container(border=True):
            st.markdown(
                "**:material/school: Nothing is prepared for this index yet.** A larger model can "
                "read the passages beforehand and write questions with answers and statements. "
                "Passages are then found through them, too."
            )
        show_teaching(home.jobs, name, teachers, left, running)
        return
    show_counts(counts, manifest.passages, searchable_entries(store.path.parent))
    titles = ["Entries", "Let a teacher write"]
    entries, teach = st.tabs(titles, key="knowledge-tab", on_change="rerun")
    with entries, errors_shown():
        _entries(home, name, store, counts.teachers)
    with teach, errors_shown():
        show_teaching(home.jobs, name, teachers, max(0, left), running)


def main() -> None:
    home = opened()
    st.header("Knowledge", anchor=False)
    names = sorted(manifest.name for manifest in home.workspace.indexes())
    if not names:
        st.markdown("There is no index yet. Make one in the library.")
        return
    default = home.workspace.settings.retrieval.index
    name = st.selectbox(
        "Index",
        names,
        index=names.index(default) if default in names else 0,
        key="knowledge-index",
    )
    _index(home, name)


with errors_shown():
    main()
