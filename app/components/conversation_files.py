"""Conversations as a file: take them along, bring them back."""

from __future__ import annotations

import streamlit as st

from app.components.notices import errors_shown, say_next
from app.components.words import counted
from assistant.memory.archive import archived, import_archive
from assistant.memory.conversations import Conversations


def show_files(conversations: Conversations, *, any_kept: bool) -> None:
    """Export and import, folded away."""
    with st.popover("Export or import", icon=":material/swap_vert:", type="tertiary"):
        if any_kept:
            st.download_button(
                "Export all conversations",
                lambda: archived(conversations),
                "conversations.json",
                "application/json",
                icon=":material/download:",
                on_click="ignore",
                help="One file with every question, answer and source, to keep or to import "
                "elsewhere.",
            )
        with st.form("import-conversations", border=False, clear_on_submit=True):
            file = st.file_uploader("A file that was exported here", type="json")
            sent = st.form_submit_button("Import", icon=":material/upload:")
        if sent and file is not None:
            with errors_shown():
                done = import_archive(conversations, file.getvalue())
                known = f", {done.known} there already" if done.known else ""
                say_next(
                    f"{counted(len(done.added), 'conversation')} imported{known}.",
                    ":material/upload:",
                )
                st.rerun()
        elif sent:
            st.caption("Choose a file first.")
