"""Ranked lists beside each other: of one index each stage's, of two the fused ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import streamlit as st

from app.components.facts import passage_as_found
from app.components.ranked import show_fused, show_missing, show_stages
from app.components.source import open_source
from app.components.text import plain
from app.components.turn import Source
from assistant.errors import KnowledgeAssistantError
from indexes.documents import Passage
from indexes.explaining.explain import Explanation
from indexes.index import Index


def opening(index: Index) -> Callable[[Passage], None]:
    """What opens a passage in its document."""

    def show(passage: Passage) -> None:
        document = None
        with suppress(KnowledgeAssistantError):
            document = index.document(passage.document_id)
        open_source(Source(passage_as_found(passage), (), ()), document)

    return show


def show_lists(indexes: Sequence[Index], explained: Sequence[Explanation]) -> None:
    """The fused list and each stage's side by side; of two indexes the fused lists first."""
    if len(indexes) == 1:
        (index,), (found,) = indexes, explained
        columns = st.columns(1 + len(found.lists))
        with columns[0]:
            st.markdown("**Together**")
            st.caption("score = sum of the parts")
            show_fused(found, opening(index), index.manifest.name)
        show_stages(found, columns[1:], opening(index), index.manifest.name)
        return
    for index, found, other, column in zip(
        indexes, explained, reversed(explained), st.columns(2), strict=True
    ):
        with column:
            st.markdown(f"**Together, in {plain(index.manifest.name)}**")
            show_missing(found.missing)
            show_fused(found, opening(index), index.manifest.name, other)
    for index, found in zip(indexes, explained, strict=True):
        with st.expander(f"Each alone, in {plain(index.manifest.name)}"):
            columns = st.columns(max(1, len(found.lists)))
            show_stages(found, columns, opening(index), index.manifest.name)
