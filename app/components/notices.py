"""Errors in words, with what to do next; never a stack trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.components.text import plain
from assistant.errors import KnowledgeAssistantError


def show_error(message: str, remedy: str = "") -> None:
    """What is wrong and what to do."""
    st.error(f"{plain(sentence(message))}{_advice(remedy)}", icon=":material/error:")


def show_warning(message: str, remedy: str = "") -> None:
    st.warning(f"{plain(sentence(message))}{_advice(remedy)}", icon=":material/warning:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Errors of the project that happen inside become a notice; the rest of the page goes on."""
    try:
        yield
    except KnowledgeAssistantError as error:
        show_error(error.message, error.remedy)


def sentence(text: str) -> str:
    """Messages begin in small letters for the command line; on the page they are sentences."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def _advice(remedy: str) -> str:
    return f"\n\n**What to do:** {plain(sentence(remedy))}" if remedy else ""
