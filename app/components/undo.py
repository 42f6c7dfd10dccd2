"""Deleting a conversation, and the way back: for ten minutes, then it is gone from the disk."""

from __future__ import annotations

import threading
from contextlib import suppress

import streamlit as st

from app.components.notices import errors_shown
from app.components.text import one_line, plain
from assistant.errors import KnowledgeAssistantError
from assistant.memory.conversations import UNDO, Conversations

_MOST = 3  # shown; older ones can still be brought back when these are


def set_aside(conversations: Conversations, conversation: str) -> None:
    """Take it away, and see that it is removed when the time for undoing is over.

    Raises:
        UnknownNameError: there is no such conversation.
    """
    conversations.set_aside(conversation)
    timer = threading.Timer(UNDO.total_seconds() + 1, _purge, (conversations,))
    timer.daemon = True  # who ends the page does not wait; the next start removes it
    timer.start()


def show_undo(conversations: Conversations) -> None:
    """What was deleted a moment ago, each with a way back."""
    # Another page or the command line may have removed them without a timer here.
    for item in conversations.aside()[:_MOST]:
        with st.container(border=True, gap="xxsmall"):
            st.caption(
                f"Deleted: “{plain(one_line(item.title or 'Untitled', 40))}”. In ten minutes it "
                "is gone for good."
            )
            with st.container(horizontal=True, gap="small"):
                st.button(
                    "Undo",
                    key=f"undo-{item.id}",
                    icon=":material/undo:",
                    on_click=_put_back,
                    args=(conversations, item.id),
                )
                st.button(
                    "Remove now",
                    key=f"remove-{item.id}",
                    type="tertiary",
                    on_click=_remove,
                    args=(conversations, item.id),
                )


def _put_back(conversations: Conversations, conversation: str) -> None:
    with errors_shown():
        conversations.put_back(conversation)


def _remove(conversations: Conversations, conversation: str) -> None:
    with errors_shown():
        conversations.delete(conversation)


def _purge(conversations: Conversations) -> None:
    with suppress(KnowledgeAssistantError):  # the next start tries again
        conversations.purge()
