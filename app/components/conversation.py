"""The open conversation: its turns, and the question that is asked in it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.components.again import Question
from app.components.context import Opened
from app.components.earlier import Shown, show_more, shown_turns
from app.components.notices import show_warning
from app.components.sidebar import OPEN, open_conversation
from app.components.stored import Stored, show_next, show_place
from app.components.tour import show_tour, tour_is_on
from app.components.typed_commands import counting
from assistant.memory.conversations import Conversations
from assistant.memory.versions import Place

_ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The turns that are shown, and the question that is asked now, if one is."""

    home: Opened
    shown: Shown
    places: Sequence[Place]
    stored: Stored
    question: Question | None

    def show(self) -> None:
        """The turns so far, but not one that is being answered anew."""
        workspace, busy = self.home.workspace, self.stored.busy
        show_more(workspace.conversations, self.shown, earlier=True, busy=busy)
        for place in self.places:
            if self.question is None or self.question.version_of not in place.versions:
                last = place is self.places[-1] and not self.shown.after
                show_place(place, self.stored, last=last)
        show_more(workspace.conversations, self.shown, earlier=False, busy=busy)
        if self.places and not busy and tour_is_on(workspace.preferences):
            show_tour(workspace.preferences, asked=True)

    def show_next(self) -> None:
        """Questions that could follow the last turn, where that is shown."""
        if self.places and not self.shown.after:
            show_next(self.places, self.stored)


def drawn_conversation(
    home: Opened, current: str | None, question: Question | None, busy: bool
) -> Drawn:
    """What is to be drawn of the conversation; nothing is yet.

    Args:
        busy: a question is asked or a file sent: there is nothing to do with the turns so far.
    """
    conversations, versions = home.workspace.conversations, home.workspace.versions
    shown = shown_turns(conversations, current, busy=busy)
    places = versions.places(shown.turns)
    several = shown.before + len(places) > 1
    whole = partial(counting, home, current) if several else None
    stored = Stored(home, home.workspace.models.status(), ask_now, ask_later, busy, whole)
    return Drawn(home, shown, places, stored, question)


def current_conversation(conversations: Conversations) -> str | None:
    """The conversation that the address names."""
    current: str | None = st.query_params.get(OPEN)
    if current is not None and not conversations.exists(current):
        show_warning("this conversation does not exist any more", "ask to begin a new one")
        open_conversation(None)
        return None
    return current


def ask_later(question: str) -> None:
    st.session_state[_ASKED] = Question(question)


def ask_now(question: Question) -> None:
    st.session_state[_ASKED] = question
    st.rerun()


def take_asked() -> Question | None:
    """The question that a button asked when the page ran last."""
    asked: Question | None = st.session_state.pop(_ASKED, None)
    return asked
