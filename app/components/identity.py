"""Who is at the page: who signed in, where that is set up, else a profile of this computer.

Every page asks here before it opens anything, so nobody is shown what belongs to another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.errors import StreamlitAPIException

from app.components.notices import show_error
from app.components.text import plain
from assistant.memory.people import People, Person

PERSON = "person"  # in the address and in the session
NO_PROTECTION = (
    "Profiles keep conversations, and what you told about yourself, apart. They have no password: "
    "whoever opens this page can choose any of them. Documents and settings are shared."
)
_CHOSEN = "chosen-person"


def sign_in_is_set_up() -> bool:
    """Whether a secrets file with a part `[auth]` was given."""
    return bool(_auth())


def require_sign_in() -> None:
    """Where signing in is set up, an unsigned visitor sees the button for it and nothing else."""
    if not sign_in_is_set_up() or st.user.get("is_logged_in"):
        return
    st.header("Knowledge Assistant", anchor=False)
    st.markdown("Sign in to see your conversations and to ask.")
    auth = _auth()
    providers = [name for name, value in auth.items() if isinstance(value, Mapping)]
    for name in providers or [""]:
        pressed = st.button(
            plain(f"Sign in with {name}") if name else "Sign in",
            key=f"sign-in-{name}",
            type="primary",
            icon=":material/login:",
        )
        if pressed:
            try:
                st.login(name or None)
            except StreamlitAPIException as error:
                show_error(
                    f"signing in is not set up rightly: {error}",
                    "see docs/page-conversations.md, Signing in",
                )
    st.stop()


def current_person(people: People) -> Person:
    """Who is at the page. Where that is not known it is asked, and the page ends there.

    Raises:
        UsageError: the identity provider did not say who signed in.
    """
    require_sign_in()
    if sign_in_is_set_up():
        user = st.user
        known_by = [str(user.get(key) or "") for key in ("iss", "sub")]
        subject = "\n".join(known_by) if known_by[1] else str(user.get("email") or "")
        return people.signed_in(subject, str(user.get("name") or user.get("email") or ""))
    profiles = {person.id: person for person in people.profiles()}
    chosen = st.session_state.get(_CHOSEN) or st.query_params.get(PERSON)
    person = profiles.get(str(chosen))
    if len(profiles) == 1:
        st.query_params.pop(PERSON, None)
        return people.owner
    if person is None:
        _ask_who(list(profiles.values()))
        st.stop()
        raise AssertionError  # `stop` ends the run; its type does not say so
    st.session_state[_CHOSEN] = person.id
    if st.query_params.get(PERSON) != person.id:
        st.query_params[PERSON] = person.id  # the page, loaded again, knows it then
    return person


def switch_to(identity: str | None) -> None:
    """Go on as another profile; None asks who it is. What was chosen and typed before is gone."""
    st.session_state.clear()
    st.query_params.clear()
    if identity is not None:
        st.session_state[_CHOSEN] = identity


def show_who(person: Person, people: People) -> None:
    """Whose conversations these are, with a way to change that; nothing where there is only one."""
    signed_in = person.kind == "signed in"
    if not signed_in and len(people.profiles()) == 1:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/person: {plain(person.name)}", width="stretch")
        if signed_in:
            st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=_sign_out)
        else:
            st.button(
                "Switch",
                key="switch-person",
                icon=":material/switch_account:",
                type="tertiary",
                on_click=switch_to,
                args=(None,),
            )


def _ask_who(profiles: Sequence[Person]) -> None:
    st.header("Who is asking?", anchor=False)
    for person in profiles:
        st.button(
            plain(person.name),
            key=f"person-{person.id}",
            icon=":material/person:",
            on_click=_choose,
            args=(person.id,),
        )
    st.caption(NO_PROTECTION)


def _choose(identity: str) -> None:
    st.session_state[_CHOSEN] = identity


def _sign_out() -> None:
    st.session_state.clear()
    st.logout()


def _auth() -> Mapping[str, object]:
    if not st.secrets.load_if_toml_exists():
        return {}
    section = st.secrets.get("auth", {})
    return section if isinstance(section, Mapping) else {}
