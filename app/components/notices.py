"""Errors in words, with what to do next; never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.components.text import plain
from assistant.errors import KnowledgeAssistantError

_SAID = "to-be-said"
_log = logging.getLogger(__name__)


def show_error(message: str, remedy: str = "") -> None:
    """What is wrong and what to do."""
    st.error(f"{plain(sentence(message))}{_advice(remedy)}", icon=":material/error:")


def show_warning(message: str, remedy: str = "") -> None:
    st.warning(f"{plain(sentence(message))}{_advice(remedy)}", icon=":material/warning:")


def say_next(text: str, icon: str) -> None:
    """A short notice that is shown when the page runs next, which has to be at once.

    A toast of the run that ends with `st.rerun` may never be sent: Streamlit drops what waits for
    being sent when the next run begins.
    """
    st.session_state[_SAID] = text, icon


def show_said() -> None:
    """Show what the run before left to be said."""
    if said := st.session_state.pop(_SAID, None):
        text, icon = said
        st.toast(text, icon=icon)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Errors of the project that happen inside become a notice; the rest of the page goes on."""
    try:
        yield
    except KnowledgeAssistantError as error:
        _log.warning("an error was shown", exc_info=error)  # its kind and place, not its words
        show_error(error.message, error.remedy)


def sentence(text: str) -> str:
    """Messages begin in small letters for the command line; on the page they are sentences."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def _advice(remedy: str) -> str:
    return f"\n\n**What to do:** {plain(sentence(remedy))}" if remedy else ""
