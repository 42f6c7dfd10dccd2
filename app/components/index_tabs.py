"""The tabs of one index in the library."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.components.documents import PAGE, Actions, ask_for_documents, show_documents
from app.components.index_work import IndexWork
from app.components.library import change_words, deleting_form
from app.components.notices import errors_shown, show_warning
from app.components.preview import show_preview
from app.components.text import plain
from app.components.upkeep import anew_words, show_check, show_parts, show_repair
from app.components.watching import show_watch, watch_switch
from indexes.listing import listing
from indexes.manifest import Manifest
from indexes.planning import seconds_anew
from indexes.postgres.index import has_engine
from indexes.usage import Part, parts_of


@st.cache_data(ttl=30, max_entries=200, show_spinner=False)
def _parts(folder: Path, _manifest: Manifest, updated: str) -> list[Part]:
    return [] if has_engine(folder) else parts_of(folder, _manifest)


def show_last_change(work: IndexWork) -> None:
    """What the last change of the index did, and what went wrong beside it."""
    if last := work.home.jobs.latest(f"index {work.name}"):
        result = work.home.jobs.result(last.id) or {}
        if words := change_words(result):
            st.caption(plain(words))
        for note in result.get("notes", ()):
            show_warning(str(note))


def documents_tab(work: IndexWork, manifest: Manifest) -> None:
    """The documents, and what can be done with those that are chosen."""
    index = work.home.workspace.index(work.name)
    asked = ask_for_documents(work.name, len(manifest.failures), len(manifest.excluded))

    def preview(document_id: str) -> None:
        if document := index.document(document_id):
            show_preview(document, list(index.store.of_document(document_id).values()))

    actions = Actions(
        preview=preview,
        read_again=work.read_again,
        take_out=work.take_out,
        delete_copies=work.delete_copies,
        put_back=work.put_back,
        try_again=lambda: work.begin("index", "update", work.name),
        is_copy=work.is_copy,
    )
    show_documents(
        f"{work.name}-{manifest.updated}",
        asked,
        lambda offset: listing(
            index.store,
            manifest,
            wanted=asked.wanted,
            state=asked.state,
            order=asked.order,
            offset=offset,
            limit=PAGE,
        ),
        actions,
    )


def sources_tab(work: IndexWork, manifest: Manifest) -> None:
    """Where the documents come from, and taking over what has changed there."""
    st.markdown("**Made from**")
    for spec in manifest.sources:
        st.code(spec, language=None, wrap_lines=True)
    watches = work.watches
    wanted = work.name in watches.wanted()
    if wanted or watches.possible(manifest.sources):
        watch_switch(work.name, wanted, lambda on: work.watch(manifest, on))
        show_watch(lambda: watches.of(work.name), lambda: work.watch(manifest, True))
    else:
        st.caption("Web pages, packages and uploaded files tell of no changes; update reads them.")
    with st.container(horizontal=True):
        if st.button("Look what has changed", icon=":material/search:"):
            work.begin("plan", "update", work.name, "--dry-run")
        if st.button("Update", icon=":material/sync:", help="New, changed and gone documents."):
            work.begin("index", "update", work.name)
        with st.popover("Delete the index", icon=":material/delete:"), errors_shown():
            with_copies = deleting_form(work.name, work.copies.exists())
            if with_copies is not None:
                work.delete(with_copies=with_copies)
                st.rerun()


def upkeep_tab(work: IndexWork, manifest: Manifest) -> None:
    """What the index takes, and whether it is sound."""
    folder = work.home.workspace.index_folder(work.name)
    parts = _parts(folder, manifest, manifest.updated)
    show_parts(parts)
    jobs, wrong = work.home.jobs, False
    check, repair = jobs.latest(f"check {work.name}"), jobs.latest(f"repair {work.name}")
    repaired = repair is not None and (check is None or repair.started > check.started)
    if check and not repaired and (result := jobs.result(check.id)):
        wrong = show_check(result, check.started)
    elif repair and (result := jobs.result(repair.id)):
        show_repair(result, repair.started)
    with st.container(horizontal=True):
        if st.button("Check it", icon=":material/health_and_safety:", key="check"):
            work.begin("check", "verify", work.name)
        if wrong and st.button("Repair it", icon=":material/build:", type="primary", key="repair"):
            work.begin("repair", "repair", work.name)
        with st.popover("Build it anew", icon=":material/restart_alt:"):
            seconds, disk = seconds_anew(manifest), sum(part.disk for part in parts)
            words = anew_words(manifest.documents, manifest.passages, seconds, disk)
            st.markdown(plain(words))
            if st.button("Build anew", type="primary", key="fresh"):
                work.begin("index", "build", work.name, "--fresh")
