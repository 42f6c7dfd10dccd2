"""The profiles of this computer: switch, add, rename, remove."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.components.identity import NO_PROTECTION, switch_to
from app.components.notices import errors_shown
from app.components.text import plain
from assistant.memory.people import MAX_NAME, OWNER_ID, People, Person


def show_profiles(person: Person, people: People, close: Callable[[Person], None]) -> None:
    """Folded away; nothing for those who signed in.

    Args:
        close: closes the files of a person who is removed.
    """
    if person.kind == "signed in":
        return
    profiles = people.profiles()
    with st.expander("Profiles on this computer", icon=":material/group:"):
        st.markdown(NO_PROTECTION)
        for other in profiles:
            _show_profile(other, is_current=other.id == person.id)
        with st.form("add-profile", clear_on_submit=True, border=False):
            name = st.text_input("Name of a new profile", max_chars=MAX_NAME, key="new-profile")
            if st.form_submit_button("Add profile", icon=":material/person_add:"):
                with errors_shown():
                    switch_to(people.add(name).id)
                    st.rerun()
        with st.form("rename-profile", border=False):
            name = st.text_input(
                "Name of this profile", person.name, max_chars=MAX_NAME, key="profile-name"
            )
            if st.form_submit_button("Rename profile", icon=":material/edit:"):
                with errors_shown():
                    people.rename(person, name)
                    st.rerun()
        if person.id != OWNER_ID:
            _show_remove(person, people, close)


def _show_profile(person: Person, *, is_current: bool) -> None:
    if is_current:
        st.markdown(f":material/check: **{plain(person.name)}** (this one)")
    else:
        st.button(
            plain(f"Go on as {person.name}"),
            key=f"go-on-as-{person.id}",
            icon=":material/switch_account:",
            on_click=switch_to,
            args=(person.id,),
        )


def _show_remove(person: Person, people: People, close: Callable[[Person], None]) -> None:
    with st.popover("Remove this profile", icon=":material/person_remove:"):
        st.markdown(
            "All conversations of this profile, and what it told about itself, are removed from "
            "this computer. This cannot be undone."
        )
        if st.button("Remove all of it", type="primary", key="remove-profile"):
            with errors_shown():
                close(person)
                people.remove(person)
                switch_to(None)
                st.rerun()
