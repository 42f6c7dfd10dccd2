"""A document as it was read: its passages one by one, and its text."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.text import one_line, plain
from app.components.words import counted
from indexes.documents import Passage
from indexes.store import StoredDocument

_WIDTH = 640  # pixels
_TEXT = 6_000  # characters
_PASSAGES = 10  # at a time


def show_preview(document: StoredDocument, passages: Sequence[Passage]) -> None:
    """Open the drawer at the right."""
    title = plain(one_line(document.title, 70)) or "Untitled"
    drawer = st.dialog(title, width=_WIDTH, position="right", on_dismiss="rerun")
    drawer(_preview)(document, passages)


def place_of(passage: Passage, number: int) -> str:
    """`Passage 2 · page 4 · characters 1,200 to 1,950 · Sleep`; not escaped."""
    parts = [f"Passage {number:,}"]
    if passage.page is not None:
        parts.append(f"page {passage.page}")
    parts.append(f"characters {passage.start:,} to {passage.end:,}")
    if passage.headings:
        parts.append(" › ".join(passage.headings))
    return " · ".join(parts)


def _preview(document: StoredDocument, passages: Sequence[Passage]) -> None:
    pages = f" · {counted(len(document.pages), 'page')}" if document.pages else ""
    language = f" · language: {document.language}" if document.language else ""
    st.caption(
        plain(
            f"{document.media_type} · {counted(len(passages), 'passage')}{pages}"
            f" · {counted(len(document.text), 'character')}{language}"
        )
    )
    st.code(document.uri, language=None, wrap_lines=True)
    as_passages, as_text = st.tabs(["Passages", "Text"])
    with as_passages:
        _show_passages(passages)
    with as_text:
        _show_text(document)


def _show_passages(passages: Sequence[Passage]) -> None:
    st.caption("A search finds passages. This is where each begins and ends.")
    count = -(-len(passages) // _PASSAGES)
    number = int(st.pagination(count, key="preview-page")) if count > 1 else 1
    begin = (number - 1) * _PASSAGES
    for position, passage in enumerate(passages[begin : begin + _PASSAGES], begin + 1):
        with st.container(border=True):
            st.caption(plain(place_of(passage, position)))
            st.markdown(plain(passage.text))


def _show_text(document: StoredDocument) -> None:
    st.markdown(plain(document.text[:_TEXT]) or "*no text*")
    if len(document.text) > _TEXT:
        st.caption(f"… and {len(document.text) - _TEXT:,} more characters.")
    st.download_button(
        "Download the text as it was read",
        document.text,
        "document.txt",
        "text/plain",
        icon=":material/download:",
        on_click="ignore",
    )
