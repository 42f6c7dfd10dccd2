"""Entries of a knowledge store: looked through page by page, read, decided about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, cast

import streamlit as st

from app.components.text import one_line, plain
from app.components.times import moment
from app.components.words import counted
from assistant.knowledge.deciding import Decision
from assistant.knowledge.entries import TIERS, Kind, KnowledgeEntry, Tier
from assistant.knowledge.looking import EntriesPage, Wanted
from indexes.documents import Passage

PAGE = 25
_KINDS: dict[str, str] = {"qa": "questions with answers", "statement": "statements"}
_WORDS = {"approve": "Approve", "reject": "Reject", "delete": "Delete"}
_ICONS = {
    "approve": ":material/check:",
    "reject": ":material/close:",
    "delete": ":material/delete:",
}
_MARKS = {
    "generated": ":gray-badge[written by the teacher]",
    "approved": ":green-badge[approved]",
    "rejected": ":red-badge[rejected]",
}


def choose_entries(teachers: Sequence[str], key: str) -> Wanted:
    """The filters."""
    tier = st.pills("State", TIERS, key=f"{key}-tier")
    kind, teacher, words = st.columns([2, 2, 3])
    chosen_kind = kind.selectbox(
        "Kind", ["", *_KINDS], format_func=lambda k: _KINDS.get(k, "all"), key=f"{key}-kind"
    )
    chosen_teacher = teacher.selectbox(
        "Written by", ["", *teachers], format_func=lambda t: t or "all", key=f"{key}-teacher"
    )
    typed = words.text_input("With the words", key=f"{key}-words", icon=":material/search:")
    return Wanted(
        cast("Tier | None", tier), cast("Kind | None", chosen_kind or None), chosen_teacher, typed
    )


def choose_page(total: int, key: str) -> int:
    """The offset of the page that is looked at."""
    pages = max(1, ceil(total / PAGE))
    number = st.pagination(pages, key=f"{key}-{pages}") if pages > 1 else 1
    return PAGE * (number - 1)


def entry_rows(entries: Sequence[KnowledgeEntry]) -> list[dict[str, Any]]:
    """The table."""
    return [
        {
            "question or statement": one_line(entry.text, 200),
            "answer": one_line(entry.answer, 120),
            "state": entry.tier,
            "score": round(entry.score, 2),
            "written by": entry.teacher,
        }
        for entry in entries
    ]


def show_page(found: EntriesPage, key: str) -> list[KnowledgeEntry]:
    """The table; returns the entries that are chosen in it."""
    st.caption(counted(found.total, "entry", "entries"))
    if not found.entries:
        return []
    chosen = st.dataframe(
        entry_rows(found.entries),
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
    )
    rows = [row for row in chosen["selection"]["rows"] if row < len(found.entries)]
    return [found.entries[row] for row in rows]


def show_decisions(
    entries: Sequence[KnowledgeEntry], decide: Callable[[Sequence[str], Decision], None]
) -> None:
    """The buttons for what is chosen."""
    tiers = {entry.tier for entry in entries}
    offered: list[Decision] = ["delete"]
    if tiers != {"rejected"}:
        offered.insert(0, "reject")
    if tiers != {"approved"}:
        offered.insert(0, "approve")
    many = f" {len(entries)}" if len(entries) > 1 else ""
    with st.container(horizontal=True):
        for decision in offered:
            pressed = st.button(
                f"{_WORDS[decision]}{many}",
                key=f"{decision}-entries",
                icon=_ICONS[decision],
                type="primary" if decision == "approve" else "secondary",
            )
            if pressed:
                decide([entry.id for entry in entries], decision)
    if len(entries) > 1:
        st.caption("Rejected entries are not used and nothing like them is written again.")


def show_entry(
    entry: KnowledgeEntry,
    passage: Passage | None,
    open_passage: Callable[[Passage], None],
    correct: Callable[[str, str], None],
) -> None:
    """Where an entry comes from, and a field to put it right."""
    with st.container(border=True):
        st.markdown(f"{_MARKS[entry.tier]} **{plain(entry.text)}**")
        if entry.kind == "qa":
            st.markdown(plain(entry.answer))
        st.caption(plain(provenance(entry)))
        if passage is None:
            st.caption("The passage that it was written for is not in the index any more.")
        else:
            page = f", p. {passage.page}" if passage.page is not None else ""
            label = plain(one_line(f"From {passage.title or passage.uri}{page}", 80))
            if st.button(label, type="tertiary", key="entry-passage", icon=":material/article:"):
                open_passage(passage)
            st.markdown(f"> {plain(one_line(passage.text, 600))}")
        what = "answer" if entry.kind == "qa" else "statement"
        with st.form(f"correct-{entry.id}", border=False):
            said = st.text_area(
                f"The right {what}", entry.answer if entry.kind == "qa" else entry.text, height=68
            )
            if st.form_submit_button("Correct", icon=":material/edit:"):
                correct(entry.id, said)


def provenance(entry: KnowledgeEntry) -> str:
    """Who wrote it, when, in which style, and how sure; not escaped."""
    likelihood = (
        "" if entry.likelihood is None else f" · log-likelihood {entry.likelihood:.2f} a token"
    )
    return (
        f"By {entry.teacher}, style {entry.style}, {moment(entry.created)} · score "
        f"{entry.score:.2f} · grounding {entry.grounding:.2f} · novelty {entry.novelty:.2f}"
        f"{likelihood} · {entry.id}"
    )
