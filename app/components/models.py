"""One set of weights in a list: what it is, how fast it runs here; fetch, measure, remove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app.components.progress import size_text
from app.components.text import plain
from app.components.times import moment
from assistant.models.speed import Speed
from assistant.models.store import ModelStatus

_ROLES = {
    "embedder": "finds passages by meaning",
    "sparse": "finds passages by related words",
    "parser": "understands follow-up questions",
    "answerer": "writes answers",
    "tiny-answerer": "words the answers of the small reader",
}
_STATES = {
    "installed": ":green-badge[installed]",
    "missing": ":gray-badge[not installed]",
    "partial": ":orange-badge[partly fetched]",
    "damaged": ":red-badge[damaged]",
}


@dataclass(frozen=True, slots=True)
class Actions:
    """What the buttons of a set of weights do, by its name."""

    fetch: Callable[[str], None]
    measure: Callable[[str], None]
    remove: Callable[[str], None]


def show_model(status: ModelStatus, speed: Speed | None, actions: Actions, *, busy: bool) -> None:
    """Title, what it is for, state, size, licence, speed; buttons for what can be done.

    Args:
        speed: the last measurement, if there is one.
        busy: a fetch or a measurement is under way, so no other is offered.
    """
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.markdown(f"**{plain(status.title)}** {_STATES[status.state]}", width="content")
            if status.state != "installed" and status.bytes and not busy:
                word = {"partial": "Go on fetching", "damaged": "Fetch again"}.get(
                    status.state, "Fetch"
                )
                st.button(
                    f"{word} ({size_text(status.bytes)})",
                    key=f"fetch-{status.name}",
                    icon=":material/download:",
                    on_click=actions.fetch,
                    args=(status.name,),
                )
        st.caption(plain(details(status)))
        if speed is not None:
            st.caption(f":material/speed: {plain(speed_text(speed))}")
        _show_more(status, actions, busy=busy)


def _show_more(status: ModelStatus, actions: Actions, *, busy: bool) -> None:
    """Measure and remove, where there is something to measure or remove."""
    can_measure = status.state == "installed" and not busy
    registered = not status.bytes
    can_remove = status.state != "missing" or registered
    if not (can_measure or can_remove):
        return
    with st.container(horizontal=True):
        if can_measure:
            st.button(
                "Measure the speed",
                key=f"measure-{status.name}",
                icon=":material/speed:",
                type="tertiary",
                on_click=actions.measure,
                args=(status.name,),
            )
        if can_remove and not busy:
            word = "Forget" if registered else "Remove"
            with st.popover(
                word, icon=":material/delete:", type="tertiary", key=f"more-{status.name}"
            ):
                st.markdown(
                    "The name is forgotten; the files stay where they are."
                    if registered
                    else f"Frees {size_text(status.bytes)}. They can be fetched again."
                )
                st.button(
                    f"{word} {plain(status.name)}",
                    key=f"remove-{status.name}",
                    on_click=actions.remove,
                    args=(status.name,),
                )


def details(status: ModelStatus) -> str:
    """`answerer: writes answers · qwen2.5-1.5b · 1.1 GB · Apache-2.0`; not escaped."""
    purpose = _ROLES.get(status.role)
    parts = [f"{status.role}: {purpose}" if purpose else status.role, status.name]
    if status.bytes:
        parts.append(size_text(status.bytes))
    if status.licence:
        parts.append(status.licence)
    return " · ".join(parts)


def speed_text(speed: Speed) -> str:
    """`12 passages a second · measured 27 Nov 2026, 21:40, 2 threads`; not escaped."""
    parts = []
    if speed.passages_per_second is not None:
        parts.append(f"{speed.passages_per_second:,.0f} passages a second")
    if speed.tokens_per_second is not None:
        parts.append(f"{speed.tokens_per_second:.1f} tokens a second")
    if speed.first_token is not None:
        after = f" after a prompt of {speed.prompt_tokens}" if speed.prompt_tokens else ""
        parts.append(f"first token in {speed.first_token:.1f} s{after}")
    parts.append(f"measured {moment(speed.at)}, {speed.threads} threads")
    return " · ".join(parts)
