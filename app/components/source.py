"""The source of a citation: the passage in its document, the cited sentences marked."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import streamlit as st

from app.components.notices import errors_shown
from app.components.pdf_page import render_page, unchanged_pdf
from app.components.text import excerpt, highlighted, one_line, plain
from app.components.turn import Source
from indexes.store import StoredDocument

_WIDTH = 640  # pixels; the drawer can be drawn wider


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a document with the spans to mark in it (offsets in `text`)."""

    text: str
    spans: tuple[tuple[int, int], ...]
    before: bool
    after: bool


def open_source(source: Source, document: StoredDocument | None) -> None:
    """Show the source in a drawer at the right."""
    title = plain(one_line(source.label, 70))
    # Closing runs the page again; else a drawer that was closed comes back after a Stop.
    drawer = st.dialog(title, width=_WIDTH, position="right", on_dismiss="rerun")
    drawer(_source)(source, document)


def cut_of(source: Source, document: StoredDocument | None) -> Cut:
    """The text around the passage; the passage alone where the document changed or is gone.

    Without cited sentences (the closest passages of an abstention) the passage is marked.
    """
    passage = source.passage
    spans = source.spans or ((passage.start, passage.end),)
    if document is None or document.text[passage.start : passage.end] != passage.text:
        moved = tuple((start - passage.start, end - passage.start) for start, end in spans)
        return Cut(passage.text, moved if source.spans else (), before=False, after=False)
    left, right = excerpt(document.text, passage.start, passage.end)
    return Cut(
        document.text[left:right],
        tuple((start - left, end - left) for start, end in spans),
        before=left > 0,
        after=right < len(document.text),
    )


def data_url(png: bytes) -> str:
    """In the page itself: a file of the server's would be gone while the drawer still closes."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _source(source: Source, document: StoredDocument | None) -> None:
    passage = source.passage
    if passage.headings:
        st.caption(plain(" › ".join(passage.headings)))
    if source.support is not None:
        st.caption(f"Support by the check: {source.support:.2f} of 1")
    for entry in passage.prepared[:1]:
        kind = "question" if entry.question else "statement"
        st.caption(f"Found through a prepared {kind}: {plain(entry.text)}")
    pdf = unchanged_pdf(passage.uri, document.fingerprint) if document else None
    if pdf is not None and passage.page is not None:
        page, text = st.tabs([f"Page {passage.page}", "Text"])
        with page, errors_shown():
            picture, found = render_page(pdf, passage.page, source.quotes or (passage.text,))
            st.image(
                data_url(picture), width="stretch", alt=f"Page {passage.page} of {passage.title}"
            )
            if not found:
                st.caption("The sentence could not be located on the page; see the text.")
        with text:
            _show_text(source, document)
    else:
        _show_text(source, document)
    st.divider()
    st.caption("Where it is")
    st.code(passage.uri, language=None, wrap_lines=True)


def _show_text(source: Source, document: StoredDocument | None) -> None:
    cut = cut_of(source, document)
    before, after = ("…  \n" if cut.before else ""), ("  \n…" if cut.after else "")
    st.markdown(f"{before}{highlighted(cut.text, cut.spans)}{after}")
    if document is None:
        st.caption("The document is no longer in the index; this is the passage as it was found.")
    elif document.text[source.passage.start : source.passage.end] != source.passage.text:
        st.caption("The document has changed since; this is the passage as it was found.")
