"""From an answer's graph to the page of an entity in the graph of its index."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.text import one_line, plain
from assistant.errors import KnowledgeAssistantError
from assistant.thoughts.model import Node
from assistant.workspace import Workspace

INDEX, ENTITY = "index", "entity"  # in the address
_PAGE = "views/graph.py"
_MOST = 6


def pages_of(index: str, workspace: Workspace) -> Callable[[str], Callable[[], None] | None]:
    """Gives for an entity's id what opens its page; None where the index's graph has no such."""

    def page(identity: str) -> Callable[[], None] | None:
        try:
            graph = workspace.graph(index)
            known = graph is not None and bool(graph.nodes([identity]))
        except KnowledgeAssistantError:
            return None  # the graph, or the index, is gone or damaged: its own page says so
        if not known:
            return None
        return lambda: st.switch_page(_PAGE, query_params={INDEX: index, ENTITY: identity})

    return page


def show_pages(
    nodes: Sequence[Node], page: Callable[[str], Callable[[], None] | None], key: str
) -> None:
    """A button for each that has a page in the graph of the index."""
    found = [(node, opens) for node in nodes if (opens := page(node.id)) is not None][:_MOST]
    if not found:
        return
    with st.container(horizontal=True, gap="small"):
        for node, opens in found:
            if st.button(
                plain(f"More on {one_line(node.label, 40)}"),
                key=f"{key}-page-{node.id}",
                icon=":material/hub:",
                help="All that the index says of it.",
            ):
                opens()


def leave_address() -> None:
    """Another index is looked at: what the address names is not in it."""
    for name in (INDEX, ENTITY):
        st.query_params.pop(name, None)
