"""Several answers to one question: which of them is shown and counts, and all beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.answer import answer_text
from app.components.notices import errors_shown
from app.components.reader_choice import LABELS
from app.components.text import one_line, plain
from app.components.turn import TurnView
from assistant.memory.versions import Place, Versions

_BESIDE = 3  # answers in a row; a phone shows one below the other


def show_versions(place: Place, versions: Versions) -> None:
    """A control that switches between the versions of a turn; nothing where there is one."""
    count = len(place.versions)
    if count < 2:
        return
    # Of this choice alone: what counts may have been changed elsewhere, by another tab or a new
    # answer, and the control then begins anew.
    chosen = st.segmented_control(
        "Answer",
        place.versions,
        default=place.turn.id,
        key=f"version-{count}-{place.turn.id}",
        required=True,
        format_func=lambda turn: f"{place.versions.index(turn) + 1} of {count}",
        label_visibility="collapsed",
        help="The answer that is shown is the one that later questions refer to.",
    )
    if chosen != place.turn.id:
        with errors_shown():
            versions.choose(chosen)
            st.rerun()


def show_beside(place: Place, views: Callable[[], Sequence[TurnView]]) -> None:
    """A button that shows all versions beside each other; nothing where there is one.

    Args:
        views: of the versions, oldest first; called when they are looked at.
    """
    if len(place.versions) > 1 and st.button(
        "Side by side",
        icon=":material/view_column:",
        type="tertiary",
        key=f"beside-{place.turn.id}",
    ):
        _beside(views(), place.number - 1)


@st.dialog("Answers side by side", width="large")
def _beside(views: Sequence[TurnView], counts: int) -> None:
    st.markdown(f"**{plain(one_line(views[0].question, 400))}**")
    for start in range(0, len(views), _BESIDE):
        row = views[start : start + _BESIDE]
        for number, (column, view) in enumerate(zip(st.columns(len(row)), row, strict=True), start):
            with column.container(border=True):
                st.caption(plain(beside_title(view, number + 1, counts=number == counts)))
                st.markdown(answer_text(view))
                sources = [one_line(source.label, 64) for source in view.sources]
                if sources:
                    st.caption(plain(" · ".join(sources)))


def beside_title(view: TurnView, number: int, *, counts: bool) -> str:
    """What tells a version from the others, in words; not escaped.

    Args:
        number: from 1.
        counts: it is the one that later questions refer to.
    """
    parts = [f"Answer {number}" + (", the one that counts" if counts else "")]
    if view.done is not None:
        parts.append(f"reader: {LABELS.get(view.done.reader, view.done.reader)}")
        if "total" in view.done.seconds:
            parts.append(f"{view.done.seconds['total']:.1f} s")
    if view.options.effort:
        parts.append(f"effort {view.options.effort}")
    if view.queries is not None and view.queries.way == "person":
        parts.append(f"understood as “{one_line(view.queries.standalone, 120)}”")
    return " · ".join(parts)
