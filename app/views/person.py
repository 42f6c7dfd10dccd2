"""What the person told about themselves: read, add, forget, take along."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.context import close_person, opened
from app.components.notices import errors_shown, say_next
from app.components.profiles import show_profiles
from app.components.remember import remember
from app.components.text import one_line, plain
from app.components.words import counted
from assistant.memory.person import MAX_CHARACTERS, PersonMemory, exported
from assistant.understanding.statements import Statement


def _add(person: PersonMemory) -> None:
    with st.form("add-statement", clear_on_submit=True):
        text = st.text_input(
            "Tell something about yourself",
            placeholder="I am allergic to peanuts.",
            max_chars=MAX_CHARACTERS,
            key="statement",
        )
        sent = st.form_submit_button("Remember", type="primary", icon=":material/add:")
    if sent:
        remember(text, person)


def _forget(statement: Statement, person: PersonMemory) -> None:
    with errors_shown():
        person.forget(statement.id)
        say_next(plain(f"Forgotten: “{one_line(statement.text)}”"), ":material/delete:")
        st.rerun()


def _list(statements: Sequence[Statement], person: PersonMemory) -> None:
    for statement in statements:
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            st.markdown(plain(statement.text))
            if st.button("Forget", key=f"forget-{statement.id}", icon=":material/delete:"):
                _forget(statement, person)


def _all_of_them(statements: Sequence[Statement], person: PersonMemory) -> None:
    st.caption(f"{counted(len(statements), 'statement')}.")
    with st.container(horizontal=True):
        st.download_button(
            "Download as JSON",
            exported(statements),
            "about-you.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        with st.popover("Forget everything", icon=":material/delete:"):
            st.markdown("All statements are removed from this computer. This cannot be undone.")
            if st.button("Forget all of it", type="primary", key="forget-all"):
                with errors_shown():
                    count = person.forget_all()
                    say_next(f"{counted(count, 'statement')} forgotten.", ":material/delete:")
                    st.rerun()


def main() -> None:
    home = opened()
    person = home.workspace.person
    st.header("About you", anchor=False)
    st.markdown(
        "What you tell here helps to understand your questions and to answer them: the few "
        "statements that matter for a question are used, and shown with the answer."
    )
    _add(person)
    statements = person.statements()
    if statements:
        _list(statements, person)
        _all_of_them(statements, person)
    else:
        with st.container(border=True):
            st.markdown(
                "**:material/person_off: I remember nothing about you.** Nothing enters by itself: "
                "only what you add here, or in the chat with “Remember that …” or the button "
                "“Remember this”."
            )
    show_profiles(home.person, home.people, close_person)


with errors_shown():
    main()
