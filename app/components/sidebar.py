"""The conversations and the choice of the index, at the left of the chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.notices import errors_shown
from app.components.text import one_line, plain
from assistant.memory.conversations import Conversation, Conversations

OPEN = "conversation"  # in the address
_SHOWN = 40


def open_conversation(conversation_id: str | None) -> None:
    """Put it into the address; None begins a new one."""
    if conversation_id is None:
        st.query_params.pop(OPEN, None)
    else:
        st.query_params[OPEN] = conversation_id


def choose_index(names: Sequence[str], default: str) -> str:
    """The index that is asked; remembered while the page is open."""
    if not names:
        return default
    return str(
        st.selectbox(
            "Ask about",
            names,
            index=names.index(default) if default in names else 0,
            key="chosen-index",
            persist_state="session",
            help="Which index is searched. Make others in the library.",
        )
    )


def show_conversations(
    listed: Sequence[Conversation], current: str | None, conversations: Conversations
) -> None:
    """New, open; and for the open one rename and delete."""
    st.button(
        "New conversation",
        icon=":material/add:",
        width="stretch",
        on_click=open_conversation,
        args=(None,),
    )
    with st.container(gap="xxsmall"):
        for item in listed[:_SHOWN]:
            _show_item(item, is_open=item.id == current)
            if item.id == current:
                _show_changes(item, conversations)


def _show_item(item: Conversation, *, is_open: bool) -> None:
    st.button(
        plain(one_line(item.title or "Untitled", 32)),
        key=f"open-{item.id}",
        icon=":material/chevron_right:" if is_open else None,
        type="tertiary",
        on_click=open_conversation,
        args=(item.id,),
    )


def _show_changes(item: Conversation, conversations: Conversations) -> None:
    with st.popover("Rename or delete", icon=":material/more_horiz:", type="tertiary"):
        with st.form(f"rename-{item.id}", border=False):
            title = st.text_input("Title", item.title, max_chars=200)
            renamed = st.form_submit_button("Rename")
        deleted = st.button("Delete this conversation", icon=":material/delete:")
    if renamed and title.strip():
        _apply(lambda: conversations.rename(item.id, title))
    if deleted:
        if _apply(lambda: conversations.delete(item.id), rerun=False):
            open_conversation(None)
        st.rerun()


def _apply(change: Callable[[], None], *, rerun: bool = True) -> bool:
    done = False
    with errors_shown():
        change()
        done = True
    if done and rerun:
        st.rerun()
    return done
