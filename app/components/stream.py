"""A turn while it runs: its steps, then the words as they are written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.again import Question
from app.components.answer import answer_markdown
from app.components.live_graph import LiveGraph
from app.components.sidebar import open_conversation
from app.components.text import one_line, plain
from app.components.turn import TurnView
from assistant.errors import KnowledgeAssistantError
from assistant.events import GraphChanged, ThinkingDone, Token, TurnStarted
from assistant.options import TurnOptions
from assistant.pipeline import Assistant

PERSON, ASSISTANT = ":material/person:", ":material/menu_book:"
_REDRAW = 0.08  # seconds; a model writes faster than anybody reads


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a turn is shown: the answer's message, its steps, its words."""

    message: DeltaGenerator
    status: DeltaGenerator
    place: DeltaGenerator


def begin_turn(question: Question) -> Begun:
    """Show the question and the first step, before anything else is done."""
    with st.chat_message("user", avatar=PERSON):
        st.markdown(plain(question.text))
    message = st.chat_message("assistant", avatar=ASSISTANT)
    return Begun(message, message.status("Searching…", expanded=True), message.empty())


def run_turn(
    begun: Begun,
    assistant: Assistant,
    question: Question,
    conversation: str | None,
    index: str,
    options: TurnOptions,
) -> None:
    """Stream one turn. Stop ends the script in here; closing the stream stores what was written.

    Args:
        begun: of this question.
        options: choices for this question in place of the settings.

    Raises:
        UsageError: the question is empty or too long.
    """
    status, place = begun.status, begun.place
    try:
        stream = assistant.ask(
            question.text,
            conversation,
            index=index,
            understood_as=question.understood_as,
            without_statements=question.without,
            options=options,
            version_of=question.version_of,
            without_facts=question.without_facts,
        )
    except KnowledgeAssistantError:
        status.update(label="Not asked", state="error", expanded=False)
        raise
    graph = LiveGraph(status)
    view, drawn, folded = TurnView(), 0.0, False
    with _shown_again_after_stop(), closing(stream):  # type: ignore[type-var]
        for event in stream:
            if isinstance(event, TurnStarted):
                open_conversation(event.conversation_id)
            step = view.add(event)
            if isinstance(event, GraphChanged | ThinkingDone):
                graph.show(view, done=isinstance(event, ThinkingDone))
            if step:
                status.markdown(plain(step))
                status.update(label=plain(one_line(step, 60)))
            if isinstance(event, Token) and not folded:
                status.update(expanded=False)  # before there is anything to read, so nothing shifts
                folded = True
            if isinstance(event, Token) and time.monotonic() - drawn > _REDRAW:
                place.markdown(_so_far(view))
                drawn = time.monotonic()
    place.markdown(_so_far(view))
    status.update(label=plain(view.summary), state="complete", expanded=False)


def _so_far(view: TurnView) -> str:
    if view.done is None:
        return plain(view.written)
    return plain(view.done.text) if view.by_assistant else answer_markdown(view.done.sentences)


@contextmanager
def _shown_again_after_stop() -> Iterator[None]:
    """Stop ends the script and leaves the page as it was; this runs it once more from the store.

    After Stop nothing of Streamlit may be touched, so the end is noted in a plain list that a
    fragment looks at.
    """
    ended: list[bool] = []

    def look() -> None:
        if ended:
            st.rerun()

    st.fragment(run_every=1.0, key="after-stop")(look)()
    try:
        yield
    finally:
        ended.append(True)
