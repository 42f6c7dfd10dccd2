"""The library's parts: the indexes in figures, adding to one, deleting one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.components.progress import size_text
from app.components.text import plain
from app.components.uploads import Upload
from assistant.errors import UsageError
from indexes.corpora.formats import SUFFIXES
from indexes.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Adding:
    """What the form was sent with.

    `look_first`: the person wants to know what it would do before it is done.
    """

    name: str
    uploads: list[Upload]
    places: list[str]
    look_first: bool


def index_rows(
    manifests: Sequence[Manifest], sizes: Mapping[str, int], watched: Collection[str] = ()
) -> list[dict[str, Any]]:
    """One row for each index."""
    return [
        {
            "index": manifest.name,
            "documents": manifest.documents,
            "passages": manifest.passages,
            "state": state_of(manifest),
            "on disk": size_text(sizes.get(manifest.name, 0)),
            "not read": len(manifest.failures),
            "watched": "yes" if manifest.name in watched else "no",
            "updated": manifest.updated[:16].replace("T", " "),
        }
        for manifest in manifests
    ]


def state_of(manifest: Manifest) -> str:
    missing = manifest.missing_stages
    return f"without {', '.join(missing)}" if missing else "complete"


def change_words(result: Mapping[str, Any]) -> str:
    """What the last change of an index did, in a line; empty where it changed nothing."""
    kinds = ("added", "new"), ("changed", "changed"), ("removed", "gone"), ("moved", "moved")
    parts = [f"{result[key]:,} {word}" for key, word in kinds if result.get(key)]
    if result.get("left_out"):
        parts.append(f"{len(result['left_out']):,} left out because you took them out")
    if result.get("failures"):
        parts.append(f"{len(result['failures']):,} not read")
    return f"Last change: {', '.join(parts)}." if parts else ""


def adding_form(key: str, *, named: bool, button: str) -> Adding | None:
    """Files from this computer's browser, or folders, files and web addresses."""
    with st.form(key, border=False):
        name = st.text_input("Name of the index", placeholder="notes") if named else ""
        uploads = st.file_uploader(
            "Files",
            type=[suffix.removeprefix(".") for suffix in SUFFIXES],
            accept_multiple_files=True,
            help="They are copied into the home folder.",
        )
        places = st.text_area(
            "Or folders, files and web addresses, one a line",
            placeholder="/home/me/Documents\nhttps://…",
            height=96,
            help="They are read where they are, again at each update.",
        )
        with st.container(horizontal=True):
            sent = st.form_submit_button(button, type="primary", icon=":material/add:")
            look = st.form_submit_button(
                "Look first",
                icon=":material/search:",
                help="Says what a folder or address would bring and take; reads and writes nothing "
                "into the index.",
            )
    if not (sent or look):
        return None
    lines = [line.strip() for line in places.splitlines()]
    return Adding(name.strip(), list(uploads or []), [line for line in lines if line], look)


def deleting_form(index: str, copies: bool) -> bool | None:
    """Asks for the index's name. None: not sent; else whether the uploaded copies go, too."""
    with st.form(f"delete-{index}", border=False):
        st.markdown(
            "The index is removed, with its graph and what was prepared for it. Your own files "
            "stay as they are. This cannot be undone."
        )
        typed = st.text_input(f"Type its name, {plain(index)}, to confirm")
        too = copies and st.checkbox("Delete the uploaded copies, too")
        sent = st.form_submit_button("Delete the index", type="primary", icon=":material/delete:")
    if not sent:
        return None
    if typed.strip() != index:
        raise UsageError(f"the name is not '{index}'", remedy="type the name of the index")
    return bool(too)
