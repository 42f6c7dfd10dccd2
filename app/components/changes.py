"""What a person changed in the graph of an index: told, undone, done again."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.components.notices import errors_shown, say_next
from app.components.text import one_line, plain
from assistant.thoughts.changes import Batch
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.verbalise import Narrator

_MOST = 20  # changes that are listed


def told_changes(graph: KnowledgeGraph) -> list[tuple[int, str]]:
    """The log's latest batches with their numbers, the last first; each in words, not escaped."""
    changed = graph.changed_graph()
    base = [Batch(0, "rule", "what the documents say", 0, changed.start)] if changed.start else []
    narrator = Narrator(base)
    told = [(batch.number, narrator.tell(batch)) for batch in changed.log]
    return told[::-1][:_MOST]


def show_changes(graph: KnowledgeGraph) -> None:
    """The log with undo and redo; each change can be taken back alone."""
    told = told_changes(graph)
    with st.container(horizontal=True):
        if st.button("Undo the last change", icon=":material/undo:", disabled=not told):
            _do(graph.undo, "Undone")
        if st.button("Redo", icon=":material/redo:"):
            _do(graph.redo, "Done again")
    if not told:
        st.markdown("Nothing was changed by hand. Facts of an answer can be kept in the chat.")
    for number, text in told:
        with st.container(border=True):
            st.markdown(plain(text))
            if st.button("Take back", key=f"revert-{number}", type="tertiary"):
                _do(lambda number=number: graph.revert(number), "Taken back")  # type: ignore[misc]


def _do(change: Callable[[], Batch], word: str) -> None:
    with errors_shown():
        batch = change()
        say_next(plain(f"{word}: {one_line(batch.reason, 120)}"), ":material/history:")
        st.rerun()
