"""The trace of a turn: where each stage ranked each passage, what was read, how long it took."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.components.text import one_line, plain
from app.components.turn import TurnView
from app.components.words import counted
from assistant.events import found_by


def show_trace(view: TurnView) -> None:
    """Folded below an answer."""
    if view.found is None:
        return
    with st.expander("How this answer came about", icon=":material/account_tree:"):
        if lines := query_lines(view):
            st.caption("Searched for, with the weight of each")
            st.markdown("\n".join(f"- {plain(line)}" for line in lines))
        st.dataframe(
            trace_rows(view),
            hide_index=True,
            width="stretch",
            column_config={"score": st.column_config.NumberColumn(format="%.3f")},
        )
        if view.evidence is not None:
            st.caption(
                f"Read: {counted(view.evidence.sentences, 'sentence')} "
                f"({view.evidence.tokens:,} tokens), {view.evidence.omitted:,} left out for length."
            )
        if view.found.missing_stages:
            st.caption(plain(f"Not encoded yet: {', '.join(view.found.missing_stages)}."))
        if view.done is not None:
            times = " · ".join(f"{k} {v:.2f} s" for k, v in view.done.seconds.items())
            st.caption(plain(f"{times} · reader: {view.done.reader}"))
        if chosen := view.options.chosen:
            told = ", ".join(f"{name} {value}" for name, value in chosen.items())
            st.caption(plain(f"Chosen for this question: {told}"))


def query_lines(view: TurnView) -> list[str]:
    """Each query with what it stands for and its weight; not escaped. None for old turns."""
    written = view.queries
    if written is None:
        return []
    found = zip(written.queries, written.aspects, written.weights, strict=False)
    return [f"{weight:.2f} {aspect}: {one_line(text, 300)}" for text, aspect, weight in found]


def trace_rows(view: TurnView) -> list[dict[str, Any]]:
    """One row for each passage, with rank and score of every stage."""
    if view.found is None:
        return []
    beyond = "thinking" if view.found.after == "thinking" else "person"
    read = set(view.evidence.passage_ids) if view.evidence else set()
    rows = []
    for passage in view.found.passages:
        places = {place.stage: f"#{place.rank} ({place.score:.3f})" for place in passage.stages}
        rows.append(
            {
                "n": passage.number,
                "passage": passage.title,
                "page": "" if passage.page is None else str(passage.page),
                "score": passage.score,
                **{stage: places.get(stage, "–") for stage in view.found.stages},
                "found by": found_by(passage, view.queries, beyond=beyond),
                "read": passage.passage_id in read,
            }
        )
    for column in ("page", "found by"):
        if not any(row[column] for row in rows):
            for row in rows:
                del row[column]
    return rows
