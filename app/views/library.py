"""The library: indexes with their documents; add, update, delete; work under way."""

from __future__ import annotations

import shutil
from pathlib import Path

import streamlit as st

from app.components.context import Opened, opened
from app.components.library import (
    Adding,
    adding_form,
    folder_size,
    index_rows,
    show_documents,
    show_failures,
    show_preview,
)
from app.components.notices import errors_shown
from app.components.progress import show_ended, show_jobs
from app.components.text import plain
from app.components.uploads import documents_folder, keep_uploads, sources_with
from app.components.words import counted
from assistant.errors import UsageError
from assistant.jobs import Job
from indexes.corpora import open_source
from indexes.manifest import Manifest, check_name
from indexes.store import StoredDocument

_JOBS = "index "  # how the titles of this page's work begin


def _start(home: Opened, name: str, arguments: list[str]) -> None:
    with errors_shown():
        home.jobs.start(f"{_JOBS}{name}", ["index", *arguments])
        st.rerun()


def _go_on(home: Opened, job: Job) -> None:
    """Do the same again; what was read and encoded before is taken over."""
    with errors_shown():
        home.jobs.repeat(job.id)


def _add(home: Opened, name: str, known: list[str], adding: Adding) -> None:
    """Check everything before anything is written, then index in the background."""
    check_name(name)
    places = [open_source(adding.place).spec] if adding.place else []
    if not places and not adding.uploads:
        raise UsageError("nothing was chosen", remedy="choose files, or give a folder or address")
    kept: list[Path] = []
    if adding.uploads:
        folder = documents_folder(home.workspace.settings.home, name)
        kept = keep_uploads(folder, adding.uploads)
        places.append(str(folder))
    sources = [part for spec in sources_with(known, places) for part in ("--from", spec)]
    # Who uploads a file wants it, even if it was deleted from the index before.
    wanted = [part for path in kept for part in ("--put-back", str(path))]
    home.jobs.start(f"{_JOBS}{name}", ["index", "build", name, *sources, *wanted])


def _new_index(home: Opened, names: list[str]) -> None:
    with st.expander("New index", icon=":material/add:", expanded=not names), errors_shown():
        adding = adding_form("new-index", named=True, button="Make the index")
        if adding is None:
            return
        if adding.name in names:
            raise UsageError(
                f"there is an index '{adding.name}' already", remedy="add to it, or take another"
            )
        _add(home, adding.name, [], adding)
        st.rerun()


def _documents(home: Opened, manifest: Manifest) -> None:
    index = home.workspace.index(manifest.name)

    def preview(document_id: str) -> None:
        if document := index.document(document_id):
            show_preview(document)

    def delete(document: StoredDocument) -> None:
        _start(home, manifest.name, ["delete", manifest.name, "--document", document.id])

    show_documents(list(index.store.documents()), preview, delete)


def _maintenance(home: Opened, manifest: Manifest) -> None:
    st.markdown("**Made from**")
    for spec in manifest.sources:
        st.code(spec, language=None, wrap_lines=True)
    if manifest.excluded:
        st.caption(f"{counted(len(manifest.excluded), 'document')} taken out by hand.")
    with st.container(horizontal=True):
        if st.button(
            "Update", icon=":material/sync:", help="Read the sources again: new, changed, gone."
        ):
            _start(home, manifest.name, ["update", manifest.name])
        with st.popover("Delete the index", icon=":material/delete:"):
            _delete(home, manifest)


def _delete(home: Opened, manifest: Manifest) -> None:
    copies = documents_folder(home.workspace.settings.home, manifest.name)
    st.markdown("Your own files stay as they are.")
    too = copies.exists() and st.checkbox("Delete the uploaded copies, too")
    if st.button("Delete it", type="primary", key="delete-index"):
        with errors_shown():
            home.workspace.writer(manifest.name).delete_index()
            if too:
                shutil.rmtree(copies, ignore_errors=True)
            st.rerun()


def _index(home: Opened, manifest: Manifest) -> None:
    failures = manifest.failures
    labels = ["Documents", "Add", f"Not read ({len(failures)})", "Sources"]
    shown = [label for label in labels if failures or not label.startswith("Not read")]
    tabs = dict(zip(shown, st.tabs(shown), strict=True))
    with tabs["Documents"], errors_shown():
        _documents(home, manifest)
    with tabs["Add"], errors_shown():
        if adding := adding_form(f"add-{manifest.name}", named=False, button="Add"):
            _add(home, manifest.name, manifest.sources, adding)
            st.rerun()
    if failures:
        with tabs[labels[2]]:
            show_failures(failures)
    with tabs["Sources"], errors_shown():
        _maintenance(home, manifest)


def main() -> None:
    home = opened()
    st.header("Library", anchor=False)
    ended = show_jobs(home.jobs, _JOBS)
    show_ended(home.jobs, ended, lambda job: _go_on(home, job))
    manifests = {manifest.name: manifest for manifest in home.workspace.indexes()}
    if manifests:
        sizes = {name: folder_size(home.workspace.index_folder(name)) for name in manifests}
        st.dataframe(index_rows(list(manifests.values()), sizes), hide_index=True, width="stretch")
    else:
        st.markdown("There is no index yet. Make one from files, a folder or a web page.")
    _new_index(home, sorted(manifests))
    if manifests:
        name = st.selectbox("Index", sorted(manifests), format_func=plain, key="library-index")
        _index(home, manifests[name])


with errors_shown():
    main()
