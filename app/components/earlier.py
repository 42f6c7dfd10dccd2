"""Which turns of a conversation are shown: the last ones, more on demand, or those around one.

A conversation of thousands of turns opens as quickly as a short one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from assistant.memory.conversations import Conversations, Turn

AT_ONCE = 20
_BEFORE = 2  # turns shown before the one that was looked for
_STATE = "turns-shown"


@dataclass(frozen=True, slots=True)
class Span:
    """Turns from `start` to before `stop`; None is the end, wherever that will be."""

    start: int
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """The turns that are shown, and how many there are before and after them."""

    conversation: str
    turns: Sequence[Turn]
    before: int
    after: int


def last_span(total: int) -> Span:
    """The last turns."""
    return Span(max(0, total - AT_ONCE))


def span_around(place: int, total: int) -> Span:
    """The turns around the one at `place`."""
    start = max(0, place - _BEFORE)
    stop = start + AT_ONCE
    return Span(start, stop) if stop < total else Span(min(start, last_span(total).start))


def grown(span: Span, total: int, *, earlier: bool) -> Span:
    """The span with as many turns more on one side."""
    if earlier:
        return Span(max(0, span.start - AT_ONCE), span.stop)
    stop = (total if span.stop is None else span.stop) + AT_ONCE
    return Span(span.start, stop if stop < total else None)


def go_to_turn(conversations: Conversations, conversation: str, turn: str) -> None:
    """Show the turns around this one when the conversation is drawn next."""
    place = conversations.place(conversation, turn)
    if place is not None:
        total = conversations.count(conversation)
        st.session_state[_STATE] = (conversation, span_around(place, total))


def shown_turns(conversations: Conversations, conversation: str | None, *, busy: bool) -> Shown:
    """The turns to draw.

    Args:
        busy: a question is being asked, whose answer comes at the end.
    """
    if conversation is None:
        return Shown("", (), 0, 0)
    total = conversations.count(conversation)
    span = _span(conversation, total)
    if busy and span.stop is not None:
        span = last_span(total)
        st.session_state[_STATE] = (conversation, span)
    stop = total if span.stop is None else min(span.stop, total)
    turns = conversations.part(conversation, span.start, stop)
    return Shown(conversation, turns, span.start, total - stop)


def show_more(conversations: Conversations, shown: Shown, *, earlier: bool, busy: bool) -> None:
    """The button for the turns before or after those shown; nothing where there are none.

    While an answer is written there is none, as it would end that.
    """
    count = shown.before if earlier else shown.after
    if count and not busy:
        words = "earlier" if earlier else "later"
        st.button(
            f"Show {words} questions ({count:,})",
            key=f"show-{words}",
            icon=":material/expand_less:" if earlier else ":material/expand_more:",
            type="tertiary",
            on_click=_grow,
            args=(conversations, shown.conversation, earlier),
        )


def _span(conversation: str, total: int) -> Span:
    kept: tuple[str, Span] | None = st.session_state.get(_STATE)
    if kept is not None and kept[0] == conversation and kept[1].start < max(total, 1):
        return kept[1]
    # Kept, so that what is read stays where it is while the conversation goes on.
    span = last_span(total)
    st.session_state[_STATE] = (conversation, span)
    return span


def _grow(conversations: Conversations, conversation: str, earlier: bool) -> None:
    total = conversations.count(conversation)
    span = grown(_span(conversation, total), total, earlier=earlier)
    st.session_state[_STATE] = (conversation, span)
