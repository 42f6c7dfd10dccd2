"""What the person says about themselves: kept only when they say so."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.notices import errors_shown, say_next
from app.components.text import one_line, plain
from app.components.turn import TurnView
from assistant.memory.person import PersonMemory
from assistant.understanding.statements import Statement


def is_remembered(text: str, statements: Sequence[Statement]) -> bool:
    """Whether a statement with this very text is kept."""
    line = " ".join(text.split()).casefold()
    return any(statement.text.casefold() == line for statement in statements)


def remember(text: str, person: PersonMemory) -> None:
    """Keep it and say so; the page is drawn again. What is wrong with it is said in words."""
    with errors_shown():
        kept = person.add(text)
        say_next(plain(f"I will remember: “{one_line(kept.text)}”"), ":material/bookmark_added:")
        st.rerun()


def show_remember(view: TurnView, statements: Sequence[Statement], person: PersonMemory) -> None:
    """A button below a message that is a statement about the person."""
    if view.queries is None or view.queries.act != "statement":
        return
    if is_remembered(view.question, statements):
        st.caption(":material/bookmark_added: Remembered. You find it under “About you”.")
    elif st.button(
        "Remember this",
        key=f"remember-{view.turn_id}",
        icon=":material/bookmark_add:",
        help="It is kept on this computer and used for later questions, until you forget it.",
    ):
        remember(view.question, person)
