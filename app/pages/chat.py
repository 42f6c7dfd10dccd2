"""The chat: a question, the steps of its turn, an answer with its sources."""

from __future__ import annotations

import time
from contextlib import closing, suppress

import streamlit as st

from app.components.answer import answer_markdown, show_answer
from app.components.context import Opened, opened
from app.components.notices import errors_shown, show_warning
from app.components.progress import show_ended, show_jobs
from app.components.sidebar import OPEN, choose_index, open_conversation, show_conversations
from app.components.source import open_source
from app.components.text import one_line, plain
from app.components.trace import show_trace
from app.components.turn import Source, TurnView, steps_of, view_of
from app.components.welcome import offer_answerer, show_welcome
from assistant.errors import KnowledgeAssistantError
from assistant.events import Token, TurnStarted
from assistant.memory.conversations import Turn
from assistant.models.catalogue import find_entry
from assistant.starter import STARTER_INDEX, STARTER_QUESTIONS
from indexes.manifest import Manifest

_REDRAW = 0.08  # seconds; a model writes faster than anybody reads


def _ask_later(question: str) -> None:
    st.session_state["asked"] = question


def _stored_turn(turn: Turn, home: Opened) -> None:
    view = view_of(turn.events)
    view.question, view.turn_id = turn.question, turn.id
    with st.chat_message("user"):
        st.markdown(plain(turn.question))
    with st.chat_message("assistant"):
        if steps := steps_of(turn.events):
            state = "error" if view.failed else "complete"
            with st.status(plain(view.summary), state=state):
                for step in steps:
                    st.markdown(plain(step))
        show_answer(view, lambda source: _open(source, view.index, home))
        show_trace(view)


def _open(source: Source, index: str, home: Opened) -> None:
    document = None
    with suppress(KnowledgeAssistantError):  # the index is gone; the stored turn has the passage
        document = home.workspace.index(index).document(source.passage.document_id)
    open_source(source, document)


def _run_turn(question: str, conversation: str | None, index: str, home: Opened) -> None:
    """Stream one turn. Stop ends the script here; closing the stream stores what was written."""
    with st.chat_message("user"):
        st.markdown(plain(question))
    with st.chat_message("assistant"):
        status = st.status("Searching…", expanded=True)
        place = st.empty()
        view, drawn = TurnView(), 0.0
        stream = home.assistant.ask(question, conversation, index=index)
        with closing(stream):  # type: ignore[type-var]
            for event in stream:
                if isinstance(event, TurnStarted):
                    open_conversation(event.conversation_id)
                if step := view.add(event):
                    status.markdown(plain(step))
                    status.update(label=plain(one_line(step, 60)))
                if isinstance(event, Token) and time.monotonic() - drawn > _REDRAW:
                    place.markdown(_so_far(view))
                    drawn = time.monotonic()
        place.markdown(_so_far(view))
        status.update(label=plain(view.summary), state="complete", expanded=False)


def _so_far(view: TurnView) -> str:
    return plain(view.written) if view.done is None else answer_markdown(view.done.sentences)


def _missing(index: str, manifests: dict[str, Manifest]) -> None:
    """Say which ways of searching are still to come."""
    missing = manifests[index].missing_stages if index in manifests else ()
    if missing:
        st.caption(
            f"Not encoded yet: {', '.join(missing)}. You can ask already; finding gets better "
            "when this is done."
        )


def _answerer_offer(home: Opened) -> None:
    settings = home.workspace.settings
    title = "fetch the language model"
    ended = show_jobs(home.jobs, title)
    show_ended(home.jobs, ended)
    missing = settings.answering.reader == "auto" and not settings.models.remote_url
    if not missing or any(
        job.title == title and job.state == "running" for job in home.jobs.list()
    ):
        return
    if any(m.role == "answerer" and m.state == "installed" for m in home.workspace.models.status()):
        return
    offer_answerer(
        find_entry("answerer").bytes,
        lambda: _quietly(lambda: home.jobs.start(title, ["models", "fetch", "answerer"])),
    )


def _quietly(work: object) -> None:
    with errors_shown():
        work()  # type: ignore[operator]


def main() -> None:
    home = opened()
    manifests = {manifest.name: manifest for manifest in home.workspace.indexes()}
    current = st.query_params.get(OPEN)
    conversations = home.workspace.conversations
    if current is not None and not conversations.exists(current):
        show_warning("this conversation does not exist any more", "ask to begin a new one")
        current = None
        open_conversation(None)
    with st.sidebar:
        index = choose_index(sorted(manifests), home.workspace.settings.retrieval.index)
        show_conversations(conversations.list(), current, conversations)
    question = st.chat_input("Ask your documents", submit_mode="stop", max_chars=8000)
    question = question or st.session_state.pop("asked", None)
    show_ended(home.jobs, show_jobs(home.jobs, "index ", stoppable=False))
    _missing(index, manifests)
    turns = conversations.turns(current) if current else ()
    for turn in turns:
        _stored_turn(turn, home)
    if question:
        with errors_shown():
            _run_turn(question, current, index, home)
            st.rerun()
    elif not turns:
        documents = manifests[index].documents if index in manifests else 0
        questions = STARTER_QUESTIONS if index == STARTER_INDEX else ()
        show_welcome(index, documents, questions, _ask_later)
        _answerer_offer(home)


with errors_shown():
    main()
