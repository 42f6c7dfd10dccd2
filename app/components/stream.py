"""A turn while it runs: its steps, then the words as they are written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.again import Question
from app.components.answer import answer_markdown
from app.components.sidebar import open_conversation
from app.components.text import one_line, plain
from app.components.turn import TurnView
from assistant.events import GraphChanged, ThinkingDone, Token, TurnStarted
from assistant.pipeline import Assistant
from assistant.thoughts.effort import EffortName

_REDRAW = 0.08  # seconds; a model writes faster than anybody reads


def run_turn(
    assistant: Assistant,
    question: Question,
    conversation: str | None,
    index: str,
    effort: EffortName | None = None,
) -> None:
    """Stream one turn. Stop ends the script in here; closing the stream stores what was written.

    Args:
        effort: how hard to think; None as the settings say.

    Raises:
        UsageError: the question is empty or too long.
    """
    stream = assistant.ask(
        question.text,
        conversation,
        index=index,
        understood_as=question.understood_as,
        without_statements=question.without,
        effort=effort,
    )
    status = st.status("Searching…", expanded=True)
    place = st.empty()
    graph: DeltaGenerator | None = None  # the line that tells how the graph grows
    view, drawn = TurnView(), 0.0
    with _shown_again_after_stop(), closing(stream):  # type: ignore[type-var]
        for event in stream:
            if isinstance(event, TurnStarted):
                open_conversation(event.conversation_id)
            step = view.add(event)
            if isinstance(event, GraphChanged) and graph is None:
                graph = status.empty()
                status.update(label="Thinking…")
            if graph is not None and (
                isinstance(event, ThinkingDone)
                or (isinstance(event, GraphChanged) and time.monotonic() - drawn > _REDRAW)
            ):
                graph.markdown(f":material/hub: {plain(f'Graph: {view.growth.line}')}")
                drawn = time.monotonic()
            if step:
                status.markdown(plain(step))
                status.update(label=plain(one_line(step, 60)))
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
