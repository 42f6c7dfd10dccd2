"""How a question was understood, put right by the person: asked again as it is meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from app.components.notices import show_warning
from app.components.text import one_line, plain
from app.components.turn import TurnView
from assistant.pipeline import MAX_QUESTION_CHARACTERS
from assistant.understanding.statements import Statement
from assistant.understanding.types import REPLIED

_LABEL = "I understood your question as"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `without` are ids of statements that are not to be used."""

    text: str
    understood_as: str = ""
    without: tuple[str, ...] = ()


def can_be_asked_again(view: TurnView) -> bool:
    """Whether there is an answer, and to a question."""
    return view.done is not None and view.queries is not None and view.queries.act not in REPLIED


def choices(view: TurnView, remembered: Sequence[Statement]) -> list[tuple[Statement, bool]]:
    """The statements that were used, and those that were switched off and are still remembered."""
    used = [(Statement(told.statement_id, told.text), True) for told in view.statements]
    left_out = view.told.left_out if view.told is not None else ()
    return used + [(known, False) for known in remembered if known.id in left_out]


def asked_again(view: TurnView, meant: str, without: Sequence[str], before: set[str]) -> Question:
    """The turn's question as it is to be asked now.

    Where only statements were switched, it is understood anew from the conversation; a text that
    the person wrote stays.

    Args:
        meant: what stands in the field.
        before: the statements that were switched off in the turn.
    """
    written = view.queries
    standalone = one_line(written.standalone, MAX_QUESTION_CHARACTERS) if written else ""
    only_statements = set(without) != before and one_line(meant, len(meant)) == standalone
    anew = only_statements and written is not None and written.way != "person"
    return Question(view.question, "" if anew else meant, tuple(without))


def show_told(view: TurnView) -> None:
    """What the person told that was used for the answer."""
    if view.statements:
        told = " ".join(f"“{one_line(statement.text, 200)}”" for statement in view.statements)
        st.caption(f":material/person: {plain(f'What you told me: {told}')}")


def show_again(
    view: TurnView, remembered: Sequence[Statement], ask: Callable[[Question], None]
) -> None:
    """A field with the question as it was understood, the statements used, and a button."""
    if view.queries is None or not can_be_asked_again(view):
        return
    standalone = one_line(view.queries.standalone, MAX_QUESTION_CHARACTERS)
    label = plain(f"{_LABEL} “{one_line(standalone, 60)}”")
    with st.expander(label, icon=":material/edit:"):
        with st.form(f"again-{view.turn_id}", border=False):
            meant = st.text_area(
                _LABEL,
                standalone,
                key=f"meant-{view.turn_id}",
                max_chars=MAX_QUESTION_CHARACTERS,
                label_visibility="collapsed",
            ).strip()
            offered = choices(view, remembered)
            if offered:
                st.caption("What you told me, to be used for this question")
            switched = [
                (
                    statement.id,
                    st.checkbox(
                        plain(one_line(statement.text, 200)),
                        value=on,
                        key=f"told-{view.turn_id}-{statement.id}",
                    ),
                )
                for statement, on in offered
            ]
            sent = st.form_submit_button("Ask again so", icon=":material/refresh:")
        if sent and not meant:
            show_warning("the field is empty", "write the question as it is meant")
        elif sent:
            without = [identity for identity, on in switched if not on]
            before = {statement.id for statement, on in offered if not on}
            ask(asked_again(view, meant, without, before))
