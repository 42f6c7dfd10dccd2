"""Facts of an answer that the person keeps with the index."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.components.notices import errors_shown
from app.components.text import one_line, plain
from app.components.turn import TurnView
from assistant.errors import KnowledgeAssistantError
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Fact
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.verbalise import fact_in_words
from assistant.workspace import Workspace


def keep_fact(view: TurnView, fact: Fact, kept_in: KnowledgeGraph) -> str:
    """Promote a fact of the turn's graph with its ends; returns it in words.

    Raises:
        GraphError: it is known already, or the graph cannot be written.
    """
    graph = ThoughtGraph.replay(view.growth.batches)
    ends = [graph.node(end) for end in (fact.subject, fact.object)]
    kept_in.promote([fact], ends, f"kept from: {one_line(view.question, 160)}")
    return fact_in_words(fact, {node.id: node.label for node in ends}, cite=None)


def keeper(view: TurnView, workspace: Workspace) -> tuple[Callable[[Fact], None] | None, str]:
    """What the button "Keep this fact" does; or None and why there is nothing it could do."""
    if not view.growth.batches:
        return None, ""
    try:
        kept_in = workspace.graph(view.index)
    except KnowledgeAssistantError as error:
        return None, error.message
    if kept_in is None:
        return None, "The index has no graph yet: see the page Graph."

    def keep(fact: Fact) -> None:
        with errors_shown():
            words = keep_fact(view, fact, kept_in)
            st.toast(
                plain(f"Kept: {one_line(words)}. To undo it, see the page Graph."),
                icon=":material/keep:",
            )

    return keep, ""
