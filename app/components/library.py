"""The library's parts: an index in figures, its documents, what could not be read, adding more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.progress import size_text
from app.components.text import one_line, plain
from app.components.uploads import Upload
from app.components.words import counted
from indexes.corpora.formats import SUFFIXES
from indexes.documents import ReadFailure
from indexes.manifest import Manifest
from indexes.store import StoredDocument

_PREVIEW = 6_000  # characters
_LISTED = 2_000  # documents


@dataclass(frozen=True, slots=True)
class Adding:
    """What the form was sent with."""

    name: str
    uploads: list[Upload]
    place: str


def index_rows(manifests: Sequence[Manifest], sizes: dict[str, int]) -> list[dict[str, Any]]:
    """One row for each index."""
    return [
        {
            "index": manifest.name,
            "documents": manifest.documents,
            "passages": manifest.passages,
            "state": state_of(manifest),
            "on disk": size_text(sizes.get(manifest.name, 0)),
            "not read": len(manifest.failures),
            "updated": manifest.updated[:16].replace("T", " "),
        }
        for manifest in manifests
    ]


def state_of(manifest: Manifest) -> str:
    missing = manifest.missing_stages
    return f"without {', '.join(missing)}" if missing else "complete"


def folder_size(folder: Path) -> int:
    """Bytes below a folder; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def show_documents(
    documents: Sequence[StoredDocument],
    preview: Callable[[str], None],
    delete: Callable[[StoredDocument], None],
) -> None:
    """A list to choose one from; then look at it or take it out."""
    wanted = st.text_input("Filter", placeholder="part of a title or path", key="filter").lower()
    found = [d for d in documents if wanted in f"{d.title} {d.uri}".lower()]
    if len(found) > _LISTED:
        st.caption(f"The first {_LISTED:,} of {len(found):,}; filter to see others.")
    found = found[:_LISTED]
    chosen = st.dataframe(
        [{"title": d.title, "passages": d.passages, "where": d.uri} for d in found],
        hide_index=True,
        width="stretch",
        height=min(420, 38 + 35 * max(1, len(found))),
        on_select="rerun",
        selection_mode="single-row",
        key="documents",
    )
    rows = [row for row in chosen.selection.rows if row < len(found)]
    if not rows:
        st.caption("Choose a document to look at it or to take it out of the index.")
        return
    document = found[rows[0]]
    st.markdown(f"**{plain(one_line(document.title))}**")
    with st.container(horizontal=True):
        if st.button("Look at it", icon=":material/visibility:", key="preview"):
            preview(document.id)
        with st.popover("Take out of the index", icon=":material/delete:"):
            st.markdown("It will not be found any more. The file itself stays where it is.")
            if st.button("Take it out", type="primary", key="delete-document"):
                delete(document)


def show_preview(document: StoredDocument) -> None:
    """The beginning of a document's text, as it was read."""
    st.dialog(plain(one_line(document.title, 70)), width=640, position="right")(_preview)(document)


def _preview(document: StoredDocument) -> None:
    pages = f" · {counted(len(document.pages), 'page')}" if document.pages else ""
    st.caption(plain(f"{document.media_type} · {counted(document.passages, 'passage')}{pages}"))
    st.markdown(plain(document.text[:_PREVIEW]) or "*no text*")
    if len(document.text) > _PREVIEW:
        st.caption(f"… and {len(document.text) - _PREVIEW:,} more characters")
    st.code(document.uri, language=None, wrap_lines=True)


def show_failures(failures: Sequence[ReadFailure]) -> None:
    """What could not be read, why, and what to do."""
    st.dataframe(
        [{"file": f.uri, "why": f.reason, "what to do": f.remedy} for f in failures],
        hide_index=True,
        width="stretch",
    )


def adding_form(key: str, *, named: bool, button: str) -> Adding | None:
    """Files from this computer's browser, or a folder, file or web address."""
    with st.form(key, border=False):
        name = st.text_input("Name of the index", placeholder="notes") if named else ""
        uploads = st.file_uploader(
            "Files",
            type=[suffix.removeprefix(".") for suffix in SUFFIXES],
            accept_multiple_files=True,
            help="They are copied into the home folder.",
        )
        place = st.text_input(
            "Or a folder, a file, or a web address",
            placeholder="/home/me/Documents or https://…",
            help="They are read where they are, again at each update.",
        )
        sent = st.form_submit_button(button, type="primary", icon=":material/add:")
    return Adding(name.strip(), list(uploads or []), place.strip()) if sent else None
