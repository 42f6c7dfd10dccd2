"""Asking all own questions again: by whom, of which index, now."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.notices import errors_shown
from assistant.jobs import Jobs
from assistant.memory.people import Person

_AS_SET, _EACH = "as in the settings", "each one's own"
_READERS = {
    "answerer": "the language model",
    "small": "the small reader",
    "remote": "the endpoint",
    "extractive": "quotations",
}


def own_title(person: Person) -> str:
    """What the work is called: everybody sees and starts their own."""
    return (
        "ask your questions" if person.kind == "owner" else f"ask the questions of “{person.name}”"
    )


def whose(person: Person) -> list[str]:
    """The flags with which a command is this person's."""
    return [] if person.kind == "owner" else ["--person", person.id]


def own_arguments(person: Person, index: str | None, reader: str | None) -> list[str]:
    """The command that asks them."""
    chosen = [("--index", index), ("--reader", reader)]
    return [
        *whose(person),
        "eval",
        "own",
        *(part for name, value in chosen if value for part in (name, value)),
    ]


def show_run_own(
    jobs: Jobs, person: Person, readers: Sequence[str], indexes: Sequence[str], count: int
) -> None:
    """Two choices and the button; while a run is under way there is none."""
    if any(job.title == own_title(person) and job.state == "running" for job in jobs.list()):
        return
    by, of, go = st.columns([2, 2, 2], vertical_alignment="bottom")
    reader = by.selectbox(
        "Answered by",
        ["", *readers],
        format_func=lambda name: _READERS.get(name, _AS_SET) if name else _AS_SET,
        key="own-reader",
    )
    index = of.selectbox(
        "Asked of",
        ["", *indexes],
        format_func=lambda name: name or _EACH,
        key="own-index",
        help="Another index of the same documents can stand in for each question's own.",
    )
    label = f"Ask all {count} again" if count > 1 else "Ask it again"
    if go.button(label, type="primary", icon=":material/play_arrow:", width="stretch"):
        with errors_shown():
            jobs.start(own_title(person), own_arguments(person, index, reader))
            st.rerun()
