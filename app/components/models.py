"""One set of weights in a list."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.components.progress import size_text
from app.components.text import plain
from assistant.models.store import ModelStatus

_ROLES = {
    "embedder": "finds passages by meaning",
    "sparse": "finds passages by related words",
    "parser": "understands follow-up questions",
    "answerer": "writes answers",
    "tiny-answerer": "for tests and distillation",
}
_STATES = {
    "installed": ":green-badge[installed]",
    "missing": ":gray-badge[not installed]",
    "partial": ":orange-badge[partly fetched]",
    "damaged": ":red-badge[damaged]",
}


def show_model(status: ModelStatus, *, busy: bool, fetch: Callable[[str], None]) -> None:
    """Title, what it is for, state, size and licence; a button where something is to be fetched.

    Args:
        busy: a fetch is under way, so no other is offered.
    """
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.markdown(f"**{plain(status.title)}** {_STATES[status.state]}", width="content")
            if status.state != "installed" and status.bytes:
                word = {"partial": "Go on fetching", "damaged": "Fetch again"}.get(
                    status.state, "Fetch"
                )
                st.button(
                    f"{word} ({size_text(status.bytes)})",
                    key=f"fetch-{status.name}",
                    icon=":material/download:",
                    disabled=busy,
                    on_click=fetch,
                    args=(status.name,),
                )
        st.caption(plain(details(status)))


def details(status: ModelStatus) -> str:
    """`answerer: writes answers · qwen2.5-1.5b · 1.1 GB · Apache-2.0`; not escaped."""
    purpose = _ROLES.get(status.role)
    parts = [f"{status.role}: {purpose}" if purpose else status.role, status.name]
    if status.bytes:
        parts.append(size_text(status.bytes))
    if status.licence:
        parts.append(status.licence)
    return " · ".join(parts)
