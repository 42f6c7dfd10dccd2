"""The graph of an index: search it, open an entity, see and undo what was changed."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from app.components.changes import show_changes
from app.components.context import Opened, opened
from app.components.entity import show_entity, show_results
from app.components.facts import Facts, passage_as_found
from app.components.notices import errors_shown, show_warning
from app.components.progress import show_ended, show_jobs
from app.components.source import open_source
from app.components.text import plain
from app.components.turn import Source
from app.components.visiting import ENTITY, INDEX, leave_address
from app.components.words import counted
from assistant.errors import KnowledgeAssistantError
from assistant.events import FoundPassage
from assistant.jobs import Job
from assistant.thoughts.persistent.companion import serves
from assistant.thoughts.persistent.graph import KnowledgeGraph
from indexes.manifest import Manifest

_JOBS = "index "  # as the library calls this work
_FOUND = 20


def _choose(identity: str) -> None:
    st.query_params[ENTITY] = identity


def _go_on(home: Opened, job: Job) -> None:
    with errors_shown():
        home.jobs.repeat(job.id)


def _update(home: Opened, name: str, label: str) -> None:
    """Offer to read the index's documents into its graph."""
    if st.button(label, type="primary", icon=":material/hub:"):
        with errors_shown():
            home.jobs.start(f"{_JOBS}{name}", ["index", "update", name])
            st.rerun()


def _without(home: Opened, name: str) -> None:
    """The index has no graph: why, and how to make it."""
    workspace = home.workspace
    with st.container(border=True):
        st.markdown("**:material/hub: This index has no graph yet.**")
        if workspace.settings.thoughts.graph == "off":
            st.markdown("Graphs of indexes are switched off under Settings.")
        elif not workspace.parser.installed:
            st.markdown("The parser is needed to read the sentences: fetch it under Models.")
        else:
            st.markdown(
                "It is made from the documents by rules, without a language model, and then "
                "follows each change of the index."
            )
            _update(home, name, "Make the graph")


def _facts(home: Opened, name: str) -> Facts:
    index = home.workspace.index(name)

    def passage(passage_id: str) -> FoundPassage | None:
        found = index.store.passage(passage_id)
        return passage_as_found(found) if found is not None else None

    def show(source: Source) -> None:
        document = None
        with suppress(KnowledgeAssistantError):
            document = index.document(source.passage.document_id)
        open_source(source, document)

    return Facts({}, passage, show)


def _look(home: Opened, name: str, graph: KnowledgeGraph) -> None:
    words = st.text_input(
        "Look for",
        placeholder="A person, place, thing, date",
        max_chars=200,
        key=f"graph-search-{name}",
        icon=":material/search:",
    )
    if words.strip():
        found = graph.search(words, _FOUND)
        if found:
            show_results(found, _choose)
        else:
            st.markdown(plain(f"Nothing in this graph is called “{words.strip()}”."))
    identity = st.query_params.get(ENTITY)
    if identity is None:
        return
    page = graph.entity(identity)
    if page is None:
        show_warning("this index's graph has no such entity", "look for it by its name")
    else:
        show_entity(page, graph, _facts(home, name), _choose)


def _graph(home: Opened, manifest: Manifest, graph: KnowledgeGraph) -> None:
    counts = graph.counts()
    st.caption(
        f"{counts.entities:,} entities and values, {counted(counts.facts, 'fact')} "
        f"from {counted(counts.passages, 'passage')}."
    )
    if graph.generation != manifest.generation:
        old = "It is of an earlier state of the index"
        st.caption(f"{old}." if serves(graph, manifest) else f"{old} and not used for answers.")
        _update(home, manifest.name, "Bring it up to date")
    look, changes = st.tabs(["Entities", "Changes"])
    with look, errors_shown():
        _look(home, manifest.name, graph)
    with changes, errors_shown():
        show_changes(graph)


def main() -> None:
    home = opened()
    st.header("Graph", anchor=False)
    ended = show_jobs(home.jobs, _JOBS)
    show_ended(home.jobs, ended, lambda job: _go_on(home, job))
    manifests = {manifest.name: manifest for manifest in home.workspace.indexes()}
    if not manifests:
        st.markdown("There is no index yet. Make one in the library.")
        return
    names = sorted(manifests)
    default = st.query_params.get(INDEX, home.workspace.settings.retrieval.index)
    name = st.selectbox(
        "Index",
        names,
        index=names.index(default) if default in names else 0,
        key="graph-index",
        on_change=leave_address,
    )
    graph = home.workspace.graph(name)
    if graph is None:
        _without(home, name)
    else:
        _graph(home, manifests[name], graph)


with errors_shown():
    main()
