"""The logs of the page and of its work: the last lines, by how grave they are; to take along."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from app.components.text import plain
from assistant.logs import LEVELS, read_log

_LEVELS = {"INFO": "Everything", "WARNING": "Warnings and errors", "ERROR": "Errors only"}
_LAST = 200


def show_logs(files: Mapping[str, Path]) -> None:
    """Choose one of the logs, by what they are called."""
    with st.container(horizontal=True):
        name = st.selectbox("Log", list(files), format_func=plain, key="log")
        least = st.selectbox("Show", list(LEVELS), format_func=_LEVELS.__getitem__, key="log-level")
    path = files[name]
    lines = read_log(path, least=least, last=_LAST)
    if not lines:
        st.caption("There is nothing of this kind in this log.")
        return
    st.code(
        "\n".join(" ".join(filter(None, (line.at, line.level, line.text))) for line in lines),
        language=None,
        wrap_lines=True,
        height=320,
    )
    st.download_button(
        "Download the whole log",
        path.read_bytes() if path.exists() else b"",
        path.name,
        "text/plain",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(
        "The page's log has no text of your documents, questions or answers. The logs of work name "
        "files."
    )
