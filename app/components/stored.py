"""A stored turn: question, steps, answer, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from app.components.again import Question, can_be_asked_again, show_again, show_once_more, show_told
from app.components.answer import show_answer
from app.components.asked_without import asks_without
from app.components.context import Opened
from app.components.effort import has_model
from app.components.exports import show_exports
from app.components.facts import Facts, passage_as_found
from app.components.judging import show_thumbs
from app.components.keep_test import own_questions, show_keep_test
from app.components.keeping import keeper
from app.components.reader_choice import available_readers
from app.components.remember import show_remember
from app.components.source import open_source
from app.components.stream import ASSISTANT, PERSON
from app.components.suggestions import show_suggestions
from app.components.text import plain
from app.components.thoughts import show_thoughts
from app.components.trace import show_trace
from app.components.turn import Source, TurnView, steps_of, view_of
from app.components.versions import show_beside, show_versions
from app.components.visiting import pages_of
from assistant.errors import KnowledgeAssistantError
from assistant.events import FoundPassage
from assistant.memory.conversations import Turn
from assistant.memory.versions import Place
from assistant.models.store import ModelStatus
from assistant.suggesting import suggest


@dataclass(frozen=True, slots=True)
class Stored:
    """What showing the turns of a conversation needs.

    Attributes:
        ask: asks a question, in place of the turn that it names; ends this run of the page.
        ask_next: asks a further one when the page runs next; for callbacks.
        busy: another turn is running: there is nothing to do with these.
        whole: all turns of the conversation that count, where there are several.
    """

    home: Opened
    installed: Sequence[ModelStatus]
    ask: Callable[[Question], None]
    ask_next: Callable[[str], None]
    busy: bool
    whole: Callable[[], Sequence[Turn]] | None = None


def show_place(place: Place, stored: Stored, *, last: bool) -> None:
    """The turn that counts at one place of the conversation."""
    turn, home = place.turn, stored.home
    view = _view(turn)
    with st.chat_message("user", avatar=PERSON):
        st.markdown(plain(turn.question))
    with st.chat_message("assistant", avatar=ASSISTANT):
        steps = steps_of(turn.events)
        if steps and not view.by_assistant:
            with st.status(plain(view.summary), state="error" if view.failed else "complete"):
                for step in steps:
                    st.markdown(plain(step))
        show_answer(view, lambda source: _open(source, view.index, home))
        show_told(view)
        # Emptied at once when a question comes, so that no control is there that does nothing.
        controls = st.empty()
        if not stored.busy:
            with controls.container():
                _controls(place, view, stored, last=last)
        show_trace(view)
        show_thoughts(view, _facts(view, stored, last=last))


def show_next(places: Sequence[Place], stored: Stored) -> None:
    """Questions that could follow the last turn."""
    turns = [place.turn for place in places]
    asked = [turn.question for turn in turns]
    workspace = stored.home.workspace
    show_suggestions(
        turns[-1].id,
        lambda between: suggest(workspace, turns[-1], asked, between=between),
        stored.ask_next,
    )


def _controls(place: Place, view: TurnView, stored: Stored, *, last: bool) -> None:
    workspace = stored.home.workspace
    statements = workspace.person.statements()
    show_remember(view, statements, workspace.person)
    if not view.by_assistant:
        # A fragment: a thumb or a look at the files does not draw the conversation anew.
        st.fragment(_row)(place, view, stored, last=last)
    if last:
        show_again(view, statements, stored.ask)


def _view(turn: Turn) -> TurnView:
    view = view_of(turn.events)
    view.question, view.turn_id = turn.question, turn.id
    return view


def _views(place: Place, stored: Stored) -> list[TurnView]:
    """Of all versions of a turn, oldest first."""
    conversations = stored.home.workspace.conversations
    return [_view(conversations.turn(identity)) for identity in place.versions]


def _row(place: Place, view: TurnView, stored: Stored, *, last: bool) -> None:
    workspace = stored.home.workspace
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        show_versions(place, workspace.versions)
        show_beside(place, lambda: _views(place, stored))
        if view.done is not None:
            show_thumbs(view.turn_id, workspace.feedback)
        show_exports(place.turn, stored.whole if last else None)
        show_keep_test(view, own_questions(workspace.settings.own_folder))
        if last and can_be_asked_again(view):
            settings = workspace.settings
            readers = [str(name) for name in available_readers(settings, stored.installed)]
            model = has_model(settings, stored.installed)
            show_once_more(view, readers, model=model, ask=stored.ask)


def _facts(view: TurnView, stored: Stored, *, last: bool) -> Facts:
    """How the facts of a turn are shown, kept, and their places opened."""
    home = stored.home

    def passage(passage_id: str) -> FoundPassage | None:
        if found := view.passage(passage_id):
            return found
        with suppress(KnowledgeAssistantError):  # the index is gone
            kept = home.workspace.index(view.index).store.passage(passage_id)
            return passage_as_found(kept) if kept is not None else None
        return None

    keep, why_not = keeper(view, home.workspace)
    return Facts(
        labels={},
        passage=passage,
        open=lambda source: _open(source, view.index, home),
        keep=keep,
        why_not=why_not,
        without=asks_without(view, stored.ask) if last and not stored.busy else None,
        page=pages_of(view.index, home.workspace),
    )


def _open(source: Source, index: str, home: Opened) -> None:
    document = None
    with suppress(KnowledgeAssistantError):  # the index is gone; the stored turn has the passage
        attached = home.workspace.attachments.index_of(source.passage.uri)
        found = attached if source.passage.attached else home.workspace.index(index)
        document = found.document(source.passage.document_id) if found is not None else None
    open_source(source, document)
