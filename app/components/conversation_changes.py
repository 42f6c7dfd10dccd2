"""What can be done to the open conversation: its title, pin, tags, a file of it, deletion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.notices import errors_shown
from app.components.undo import set_aside
from assistant.memory.archive import archived
from assistant.memory.conversation_list import MAX_TAGS
from assistant.memory.conversations import Conversation, Conversations

_MADE = "changes-made"


def show_changes(
    item: Conversation,
    conversations: Conversations,
    tags: Sequence[str],
    deleted: Callable[[], None],
) -> None:
    """Folded below the open conversation.

    Args:
        tags: those in use.
        deleted: called when it was deleted.
    """
    key = f"changes-{item.id}-{st.session_state.get(_MADE, 0)}"
    with st.popover("Change", icon=":material/more_horiz:", type="tertiary", key=key):
        with st.form(f"change-{item.id}", border=False):
            title = st.text_input("Title", item.title, max_chars=200, key=f"title-{item.id}")
            chosen = st.multiselect(
                "Tags",
                sorted({*tags, *item.tags}, key=str.casefold),
                list(item.tags),
                key=f"tags-{item.id}",
                accept_new_options=True,
                max_selections=MAX_TAGS,
                placeholder="Choose, or write a new one",
                select_all=False,
            )
            saved = st.form_submit_button("Save", icon=":material/check:")
        pinned = st.button(
            "Unpin" if item.pinned else "Pin to the top",
            key=f"pin-{item.id}",
            icon=":material/keep_off:" if item.pinned else ":material/keep:",
        )
        st.download_button(
            "Export this conversation",
            lambda: archived(conversations, [item.id]),
            "conversation.json",
            "application/json",
            key=f"export-{item.id}",
            icon=":material/download:",
            on_click="ignore",
        )
        gone = st.button(
            "Delete this conversation", key=f"delete-{item.id}", icon=":material/delete:"
        )
    if saved:
        _apply(lambda: _save(item, conversations, title, chosen))
    if pinned:
        _apply(lambda: conversations.pin(item.id, pinned=not item.pinned))
    if gone:
        with errors_shown():
            set_aside(conversations, item.id)
            deleted()
            st.rerun()


def _save(
    item: Conversation, conversations: Conversations, title: str, tags: Sequence[str]
) -> None:
    conversations.tag(item.id, tags)  # first: it may refuse
    if title.strip() and title != item.title:
        conversations.rename(item.id, title)


def _apply(change: Callable[[], None]) -> None:
    with errors_shown():
        change()
        # Under another key it is another one, and closed.
        st.session_state[_MADE] = st.session_state.get(_MADE, 0) + 1
        st.rerun()
