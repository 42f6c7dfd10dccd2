"""The chat: a question, the steps of its turn, an answer with its sources."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.components.again import Question
from app.components.attached import FILE_TYPES, show_attached, take_in
from app.components.context import Opened, opened
from app.components.conversation import (
    ask_later,
    ask_now,
    current_conversation,
    drawn_conversation,
    take_asked,
)
from app.components.effort import choose_effort
from app.components.identity import show_who
from app.components.notices import errors_shown
from app.components.options import choose_options
from app.components.progress import mention_ended, show_jobs
from app.components.reader import reader_in_force, show_answerer_offer
from app.components.sidebar import choose_index, open_conversation, show_conversations
from app.components.stream import PERSON, begin_turn, run_turn
from app.components.typed import Typed, read_typed
from app.components.typed_commands import obey, set_index_now
from app.components.welcome import show_welcome
from assistant.options import TurnOptions
from assistant.starter import STARTER_INDEX, STARTER_QUESTIONS
from indexes.manifest import Manifest


def _missing(manifest: Manifest | None) -> None:
    """Say which ways of searching are still to come."""
    if manifest is not None and manifest.missing_stages:
        st.caption(
            f"Not encoded yet: {', '.join(manifest.missing_stages)}. You can ask already; finding "
            "gets better when this is done."
        )


def _empty_chat(index: str, manifest: Manifest | None, home: Opened) -> None:
    settings, models = home.workspace.settings, home.workspace.models.status()
    show_welcome(
        index,
        manifest.documents if manifest else 0,
        STARTER_QUESTIONS if index == STARTER_INDEX else (),
        ask_later,
        home.workspace.preferences,
        local=reader_in_force(settings, models)[0] != "remote",
    )
    show_answerer_offer(settings, models, home.jobs)


def _attach(typed: Typed, conversation: str | None, home: Opened) -> str | None:
    """Take the files into the conversation, a new one if none is open."""
    current = conversation or home.workspace.conversations.start(typed.title)
    with st.chat_message("user", avatar=PERSON):
        if take_in(current, typed.files, home.workspace.attachments):
            open_conversation(current)
            return current
    if conversation is None:
        home.workspace.conversations.delete(current)
    return None


def _sidebar(home: Opened, names: list[str], current: str | None) -> tuple[str, TurnOptions]:
    """Who asks what and how; returns the index and the options."""
    settings, installed = home.workspace.settings, home.workspace.models.status()
    with st.sidebar:
        show_who(home.person, home.people)
        set_index_now(names)
        index = choose_index(names, settings.retrieval.index)
        thinking = st.container()
        chosen = choose_options(settings, installed)  # a command may choose the effort, too
        with thinking:
            effort = choose_effort(settings, installed)
        show_conversations(current, home.workspace.conversations)
    return index, replace(chosen, effort=effort)


def _typed() -> tuple[Typed, Question | None]:
    """What was sent, and the question that is asked now: typed, or by a button before."""
    typed = read_typed(
        st.chat_input(
            "Ask your documents, or / for commands",
            submit_mode="stop",
            max_chars=8000,
            accept_file="multiple",
            file_type=FILE_TYPES,
        )
    )
    asked = take_asked()
    return typed, Question(typed.text) if typed.text else asked


def main() -> None:
    home = opened()
    workspace = home.workspace
    manifests = {manifest.name: manifest for manifest in workspace.indexes()}
    current = current_conversation(workspace.conversations)
    index, options = _sidebar(home, sorted(manifests), current)
    typed, question = _typed()
    mention_ended(show_jobs(home.jobs, "index ", stoppable=False))
    _missing(manifests.get(index))
    busy = question is not None or bool(typed.files)
    conversation = drawn_conversation(home, current, question, busy)
    before, welcome = st.container(), st.empty()  # emptied at once when a question comes
    # The question and its first step are seen at once, however long the conversation is.
    begun = begin_turn(question) if question and not typed.files else None
    with before:
        conversation.show()
    if typed.files:
        current = _attach(typed, current, home)
        if current is not None and question is None:
            st.rerun()
        begun = begin_turn(question) if question and current is not None else None
    if question and begun:
        asked = options.but(question.options or TurnOptions())
        with begun.message, errors_shown():
            run_turn(begun, home.assistant, question, current, index, asked)
            st.rerun()  # the stored turn has everything: sources, trace, the title
    elif not busy:
        conversation.show_next()
        if not conversation.places:
            with welcome.container():
                _empty_chat(index, manifests.get(index), home)
        if current:
            show_attached(current, workspace.attachments)
    obey(typed, home, current, ask_now)


with errors_shown():
    main()
