"""The chat: a question, the steps of its turn, an answer with its sources."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from app.components.again import Question, show_again, show_told
from app.components.answer import show_answer
from app.components.context import Opened, opened
from app.components.effort import choose_effort
from app.components.facts import Facts, passage_as_found
from app.components.keeping import keeper
from app.components.notices import errors_shown, show_warning
from app.components.progress import mention_ended, show_jobs
from app.components.reader import reader_in_force, show_answerer_offer
from app.components.remember import show_remember
from app.components.sidebar import OPEN, choose_index, open_conversation, show_conversations
from app.components.source import open_source
from app.components.stream import run_turn
from app.components.text import plain
from app.components.thoughts import show_thoughts
from app.components.trace import show_trace
from app.components.turn import Source, TurnView, steps_of, view_of
from app.components.welcome import show_welcome
from assistant.errors import KnowledgeAssistantError
from assistant.events import FoundPassage
from assistant.memory.conversations import Turn
from assistant.starter import STARTER_INDEX, STARTER_QUESTIONS
from assistant.thoughts.effort import EffortName
from indexes.manifest import Manifest

_PERSON, _ASSISTANT = ":material/person:", ":material/menu_book:"


def _ask_later(question: str) -> None:
    st.session_state["asked"] = Question(question)


def _ask_again(question: Question) -> None:
    st.session_state["asked"] = question
    st.rerun()


def _stored_turn(turn: Turn, home: Opened, *, busy: bool, last: bool) -> None:
    """A turn of the conversation. While another is `busy`, there is nothing to do with it."""
    view = view_of(turn.events)
    view.question, view.turn_id = turn.question, turn.id
    with st.chat_message("user", avatar=_PERSON):
        st.markdown(plain(turn.question))
    with st.chat_message("assistant", avatar=_ASSISTANT):
        steps = steps_of(turn.events)
        if steps and not view.by_assistant:
            with st.status(plain(view.summary), state="error" if view.failed else "complete"):
                for step in steps:
                    st.markdown(plain(step))
        show_answer(view, lambda source: _open(source, view.index, home))
        show_told(view)
        # Emptied at once when a question comes, so that no control is there that does nothing.
        controls = st.empty()
        if not busy:
            with controls.container():
                _controls(view, home, last=last)
        show_trace(view)
        show_thoughts(view, _facts(view, home))


def _facts(view: TurnView, home: Opened) -> Facts:
    """How the facts of a turn are shown, kept, and their places opened."""

    def passage(passage_id: str) -> FoundPassage | None:
        if found := view.passage(passage_id):
            return found
        with suppress(KnowledgeAssistantError):  # the index is gone
            stored = home.workspace.index(view.index).store.passage(passage_id)
            return passage_as_found(stored) if stored is not None else None
        return None

    keep, why_not = keeper(view, home.workspace)
    return Facts({}, passage, lambda source: _open(source, view.index, home), keep, why_not)


def _controls(view: TurnView, home: Opened, *, last: bool) -> None:
    person = home.workspace.person
    statements = person.statements()
    show_remember(view, statements, person)
    if last:
        show_again(view, statements, _ask_again)


def _open(source: Source, index: str, home: Opened) -> None:
    document = None
    with suppress(KnowledgeAssistantError):  # the index is gone; the stored turn has the passage
        document = home.workspace.index(index).document(source.passage.document_id)
    open_source(source, document)


def _new_turn(
    question: Question,
    conversation: str | None,
    index: str,
    effort: EffortName | None,
    home: Opened,
) -> None:
    with st.chat_message("user", avatar=_PERSON):
        st.markdown(plain(question.text))
    with st.chat_message("assistant", avatar=_ASSISTANT), errors_shown():
        run_turn(home.assistant, question, conversation, index, effort)
        st.rerun()  # the stored turn has everything: sources, trace, the conversation's title


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
        _ask_later,
        local=reader_in_force(settings, models)[0] != "remote",
    )
    show_answerer_offer(settings, models, home.jobs)


def main() -> None:
    home = opened()
    conversations = home.workspace.conversations
    manifests = {manifest.name: manifest for manifest in home.workspace.indexes()}
    current = st.query_params.get(OPEN)
    if current is not None and not conversations.exists(current):
        show_warning("this conversation does not exist any more", "ask to begin a new one")
        open_conversation(None)
        current = None
    with st.sidebar:
        index = choose_index(sorted(manifests), home.workspace.settings.retrieval.index)
        effort = choose_effort(home.workspace.settings, home.workspace.models.status())
        show_conversations(conversations.list(), current, conversations)
    typed = st.chat_input("Ask your documents", submit_mode="stop", max_chars=8000)
    asked: Question | None = st.session_state.pop("asked", None)
    question = Question(typed) if typed else asked
    mention_ended(show_jobs(home.jobs, "index ", stoppable=False))
    _missing(manifests.get(index))
    turns = conversations.turns(current) if current else ()
    for turn in turns:
        _stored_turn(turn, home, busy=question is not None, last=turn is turns[-1])
    welcome = st.empty()  # emptied at once when a question comes, not when its answer is done
    if question:
        _new_turn(question, current, index, effort, home)
    elif not turns:
        with welcome.container():
            _empty_chat(index, manifests.get(index), home)


with errors_shown():
    main()
