"""The conversations and the choice of the index, at the left of the chat."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from app.components.conversation_changes import show_changes
from app.components.conversation_files import show_files
from app.components.earlier import go_to_turn
from app.components.text import highlighted, one_line, plain
from app.components.undo import show_undo
from assistant.memory.conversation_search import TurnFound, snippet, words_of
from assistant.memory.conversations import Conversation, Conversations

OPEN = "conversation"  # in the address
_SHOWN = 30  # at first, and with each "Show more"
_FOUND = 20
_COUNT = "conversations-shown"


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


def show_conversations(current: str | None, conversations: Conversations) -> None:
    """New, search, tags, the list; what can be done to the open one and to all."""
    st.button(
        "New conversation",
        icon=":material/add:",
        width="stretch",
        on_click=open_conversation,
        args=(None,),
    )
    show_undo(conversations)
    listed = conversations.list(-1)
    if not listed:
        show_files(conversations, any_kept=False)
        return
    words = st.text_input(
        "Search conversations",
        key="search-conversations",
        icon=":material/search:",
        max_chars=200,
        placeholder="Words of a question or answer",
        persist_state="session",
    )
    tags = conversations.tags()
    tag = _choose_tag(tags)
    if words.strip():
        _show_found(conversations.search(words, _FOUND + 1, tag=tag), words, current, conversations)
    else:
        some = [item for item in listed if not tag or tag in item.tags]
        _show_listed(some, current, conversations, tags)
    show_files(conversations, any_kept=True)


def _choose_tag(tags: Sequence[str]) -> str:
    """The tag that the list is narrowed to; empty: none."""
    if not tags:
        return ""
    chosen = st.pills(
        "Tag",
        list(tags),
        format_func=plain,
        key="chosen-tag",
        label_visibility="collapsed",
        persist_state="session",
    )
    return str(chosen) if chosen in tags else ""


def _show_listed(
    items: Sequence[Conversation],
    current: str | None,
    conversations: Conversations,
    tags: Sequence[str],
) -> None:
    count = int(st.session_state.get(_COUNT, _SHOWN))
    shown = [item for place, item in enumerate(items) if place < count or item.id == current]
    with st.container(gap="xxsmall"):
        for pinned, group in groupby(shown, key=lambda item: item.pinned):
            if pinned or shown[0].pinned:
                st.caption("Pinned" if pinned else "Others")
            for item in group:
                _show_item(item, is_open=item.id == current)
                if item.id == current:
                    show_changes(item, conversations, tags, lambda: open_conversation(None))
    if len(items) > count:
        st.button(
            f"Show more ({len(items) - count:,})",
            key="more-conversations",
            type="tertiary",
            icon=":material/expand_more:",
            on_click=_show_more,
            args=(count,),
        )


def _show_item(item: Conversation, *, is_open: bool) -> None:
    st.button(
        plain(one_line(item.title or "Untitled", 32)),
        key=f"open-{item.id}",
        icon=":material/chevron_right:" if is_open else None,
        type="tertiary",
        on_click=open_conversation,
        args=(item.id,),
    )


def _show_found(
    found: Sequence[tuple[Conversation, TurnFound]],
    words: str,
    current: str | None,
    conversations: Conversations,
) -> None:
    """Each conversation with the stretch of text that has the words."""
    if not found:
        st.caption(plain(f"Nothing has “{one_line(words, 60)}”."))
    looked_for = words_of(words)
    with st.container(gap="xxsmall"):
        for item, turn in found[:_FOUND]:
            st.button(
                plain(one_line(item.title or "Untitled", 32)),
                key=f"found-{item.id}",
                icon=":material/chevron_right:" if item.id == current else None,
                type="tertiary",
                on_click=_open_at,
                args=(conversations, item.id, turn.turn_id),
            )
            if turn.turn_id:
                cut = snippet(f"{turn.question} – {turn.answer}", looked_for)
                st.caption(highlighted(cut.text, cut.spans))
    if len(found) > _FOUND:
        st.caption("There are more; another word narrows it down.")


def _open_at(conversations: Conversations, conversation: str, turn: str) -> None:
    open_conversation(conversation)
    if turn:
        go_to_turn(conversations, conversation, turn)


def _show_more(count: int) -> None:
    st.session_state[_COUNT] = count + _SHOWN
