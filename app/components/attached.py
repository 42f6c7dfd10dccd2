"""Files of a conversation: taken in, shown as chips, taken out."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.notices import errors_shown
from app.components.progress import progress_text
from app.components.text import one_line, plain
from app.components.uploads import Upload
from app.components.words import counted
from assistant.attachments import Attachments
from indexes.corpora.formats import FORMATS
from indexes.progress import Progress

FILE_TYPES = sorted({suffix.lstrip(".") for form in FORMATS for suffix in form.suffixes})


def take_in(conversation_id: str, files: Sequence[Upload], attachments: Attachments) -> bool:
    """Attach files and show how far that is; what is wrong is said in words. False if it failed."""
    names = ", ".join(file.name for file in files)
    status = st.status(plain(one_line(f"Reading {names}", 80)), expanded=True)
    line = status.empty()

    def progress(report: Progress) -> None:
        line.markdown(plain(progress_text(report)))

    with errors_shown():
        attachments.add(conversation_id, [(f.name, f.getvalue()) for f in files], progress)
        status.update(label="Read", state="complete", expanded=False)
        return True
    status.update(label="Not read", state="error", expanded=False)
    return False


def show_attached(conversation_id: str, attachments: Attachments) -> None:
    """A chip for each file, with what it is and a button that takes it out."""
    with errors_shown():
        files = attachments.list(conversation_id)
        if not files:
            return
        with st.container(horizontal=True, gap="small"):
            for file in files:
                with st.popover(
                    plain(one_line(file.name, 40)), icon=":material/attach_file:", type="tertiary"
                ):
                    st.caption(
                        f"{counted(file.passages, 'passage')}, found in this conversation only."
                    )
                    st.button(
                        "Remove from the conversation",
                        key=f"detach-{conversation_id}-{file.name}",
                        icon=":material/delete:",
                        on_click=_remove,
                        args=(conversation_id, file.name, attachments),
                    )


def _remove(conversation_id: str, name: str, attachments: Attachments) -> None:
    with errors_shown():
        attachments.remove(conversation_id, name)
        st.toast(plain(f"Removed: {one_line(name)}"), icon=":material/check:")
