"""Copy an answer; save it, or the whole conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.notices import errors_shown
from app.components.text import plain
from app.components.words import counted
from assistant.memory.conversations import Turn
from assistant.memory.exporting import FORMATS, ExportFormat, export, file_name, to_text

_NAMES: dict[str, str] = {"md": "Markdown", "pdf": "PDF", "json": "JSON with all steps"}
_SHORT = {"md": "Markdown", "pdf": "PDF", "json": "JSON"}
_MIME: dict[str, str] = {
    "md": "text/markdown",
    "pdf": "application/pdf",
    "json": "application/json",
}


def show_exports(turn: Turn, whole: Callable[[], Sequence[Turn]] | None = None) -> None:
    """A popover with the answer as text to copy, and as files.

    Args:
        whole: reads the conversation, which can be saved as well; None: not offered here.
    """
    key = f"export-{turn.id}"
    label, icon = "Copy or save", ":material/ios_share:"
    with st.popover(label, icon=icon, type="tertiary", key=f"{key}-open"):
        st.caption("The answer with its sources; the sign at the right copies it.")
        st.code(to_text(turn), language=None, wrap_lines=True, height=160)
        saved = [turn]
        if whole is not None and st.checkbox("The whole conversation", key=f"{key}-whole"):
            saved = list(whole())
        show_files(saved, saved[0].question, key)


def show_files(turns: Sequence[Turn], title: str, key: str) -> None:
    """A format to choose, and a button that saves the file."""
    wanted: ExportFormat = st.segmented_control(
        "Format",
        FORMATS,
        default="md",
        required=True,
        format_func=lambda name: _NAMES[name],
        key=f"{key}-format",
    )
    with errors_shown():
        st.download_button(
            f"Save as {_SHORT[wanted]}",
            export(turns, title, wanted),
            file_name=file_name(title, wanted),
            mime=_MIME[wanted],
            key=f"{key}-save",
            icon=":material/download:",
            on_click="ignore",
        )


def open_export(turns: Sequence[Turn], title: str, wanted: str) -> None:
    """A dialog that saves the whole conversation."""
    dialog = st.dialog("Save this conversation", on_dismiss="rerun")
    dialog(_conversation)(turns, title, wanted)


def _conversation(turns: Sequence[Turn], title: str, wanted: str) -> None:
    if not turns:
        st.markdown("There is nothing to save yet: ask a question first.")
        return
    st.markdown(f"{plain(title or 'Untitled')}, {counted(len(turns), 'question')}")
    st.session_state.setdefault("export-conversation-format", wanted)
    show_files(turns, title, "export-conversation")
