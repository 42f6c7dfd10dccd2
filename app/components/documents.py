"""The documents of an index: filtered, paged, each with its state and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from app.components.text import one_line, plain
from app.components.words import counted
from indexes.listing import Listed, Listing

PAGE = 50  # documents
STATE_WORDS = {
    "read": "read",
    "changed": "changed on disk",
    "gone": "file is gone",
    "failed": "not read",
    "excluded": "taken out",
}
_ALL = "all"
_ORDERS = {"path": "path", "title": "title", "newest": "latest change"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the list is wanted."""

    wanted: str
    state: str | None
    order: str


@dataclass(frozen=True, slots=True)
class Actions:
    """What the page does with documents; each starts something and runs the page again.

    `is_copy` tells whether a uri is a file that came through the browser.
    """

    preview: Callable[[str], None]
    read_again: Callable[[Sequence[Listed]], None]
    take_out: Callable[[Sequence[Listed]], None]
    delete_copies: Callable[[Sequence[Listed]], None]
    put_back: Callable[[Sequence[Listed]], None]
    try_again: Callable[[], None]
    is_copy: Callable[[str], bool]


def ask_for_documents(index: str, failed: int, excluded: int) -> Asked:
    """The fields above the list.

    Args:
        failed: how many could not be read.
        excluded: how many were taken out by hand.
    """
    labels = {_ALL: "In the index"}
    labels |= {"changed": "Changed on disk", "gone": "File is gone"}
    labels |= {"failed": f"Not read ({failed:,})"} if failed else {}
    labels |= {"excluded": f"Taken out ({excluded:,})"} if excluded else {}
    wanted = st.text_input("Filter", placeholder="part of a title or path", key=f"filter-{index}")
    with st.container(horizontal=True):
        state = st.selectbox(
            "Show",
            list(labels),
            format_func=lambda key: labels.get(key, key),
            key=f"state-{index}",
        )
        order = st.selectbox("Sorted by", list(_ORDERS), format_func=_ORDERS.__getitem__)
    return Asked(wanted, None if state == _ALL else state, order)


def show_documents(version: str, asked: Asked, look: Callable[[int], Listing], do: Actions) -> None:
    """A part of the list, and below it what can be done with the rows that were chosen.

    Args:
        version: another one when the index has changed: a choice of rows holds for one list only.
        look: the part that begins after so many documents.
    """
    key = f"{version}-{asked.wanted}-{asked.state}-{asked.order}"
    # The page's number is drawn below the list and known before it.
    number = int(st.session_state.get(f"page-{key}", 1))
    listing = look((number - 1) * PAGE)
    if not listing.total:
        st.caption(_nothing(asked))
        return
    pages = -(-listing.total // PAGE)
    if number > pages:  # files changed, and fewer rows have this state now
        number = st.session_state[f"page-{key}"] = pages
        listing = look((number - 1) * PAGE)
    rows = listing.rows
    chosen = st.dataframe(
        [_row(row, asked.state) for row in rows],
        hide_index=True,
        width="stretch",
        height=min(420, 38 + 35 * max(1, len(rows))),
        on_select="rerun",
        selection_mode="multi-row",
        key=f"documents-{key}-{number}",
        alt="Documents of the index",
    )
    if pages > 1:
        st.pagination(pages, key=f"page-{key}", max_visible_pages=5)
    st.caption(f"{counted(listing.total, 'document')}.")
    selected = [rows[place] for place in chosen.selection.rows if place < len(rows)]
    if not selected:
        st.caption("Choose documents in the list to look at one, read it again or take it out.")
        return
    _selected(selected, do)


def _selected(selected: Sequence[Listed], do: Actions) -> None:
    one = selected[0] if len(selected) == 1 else None
    st.markdown(f"**{plain(one_line(one.title)) if one else counted(len(selected), 'document')}**")
    if one is not None and one.reason:
        st.markdown(f":orange[:material/warning:] {plain(one.reason)}")
        if one.remedy:
            st.caption(f"What to do: {plain(one.remedy)}")
    inside = [row for row in selected if row.id]
    with st.container(horizontal=True):
        look = one is not None and one.id
        if look and st.button("Look at it", icon=":material/visibility:", key="preview"):
            do.preview(look)
        if all(row.state == "excluded" for row in selected):
            if st.button("Put back", icon=":material/undo:", key="put-back"):
                do.put_back(selected)
        elif not inside:
            if st.button("Try to read it again", icon=":material/refresh:", key="try-again"):
                do.try_again()
        elif st.button("Read again", icon=":material/refresh:", key="read-again"):
            do.read_again(inside)
        if inside:
            _leaving(inside, do)


def _leaving(inside: Sequence[Listed], do: Actions) -> None:
    copies = [row for row in inside if do.is_copy(row.uri)]
    with st.popover("Take out of the index", icon=":material/remove_circle:"):
        st.markdown(
            "Not found any more, and left out at later updates, until you put it back. "
            "The file itself stays where it is."
        )
        if st.button("Take out", type="primary", key="take-out"):
            do.take_out(inside)
    if len(copies) == len(inside):
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(
                "The copy that you uploaded is deleted, and the document leaves the index. "
                "This cannot be undone."
            )
            if st.button("Delete the copy", type="primary", key="delete-copy"):
                do.delete_copies(copies)


def _row(row: Listed, state: str | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": row.title}
    if state == "failed":
        return {**shown, "why": row.reason, "what to do": row.remedy, "where": row.uri}
    if state == "excluded":
        return {**shown, "where": row.uri}
    changed = datetime.fromtimestamp(row.modified) if row.modified is not None else None
    return {
        **shown,
        "state": STATE_WORDS[row.state],
        "passages": row.passages,
        "modified": changed.strftime("%Y-%m-%d %H:%M") if changed else "",
        "where": row.uri,
    }


def _nothing(asked: Asked) -> str:
    if asked.wanted:
        return "No document has this in its title or path."
    if asked.state == "changed":
        return "No file has changed since it was read."
    if asked.state == "gone":
        return "The files of all documents are where they were."
    return "There are no documents here."
