"""The facts of a graph as a table: the same as the drawing, for who cannot see that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import streamlit as st

from app.components.text import one_line, plain
from app.components.words import counted
from assistant.thoughts.model import Fact
from assistant.thoughts.verbalise import one_line as printable

_MOST = 60
_CELL = 160  # characters


def fact_rows(
    facts: Sequence[Fact],
    labels: Mapping[str, str],
    strong: Collection[str],
    title: Callable[[str], str],
) -> list[dict[str, str]]:
    """One row for each fact; not escaped.

    Args:
        labels: names of nodes by id.
        strong: ids of the facts that the answer rests on.
        title: of a passage, by its id.
    """
    return [
        {
            "Subject": _cell(labels.get(fact.subject, fact.subject)),
            "Relation": _cell(f"not {fact.relation}" if fact.negated else fact.relation),
            "Object": _cell(labels.get(fact.object, fact.object)),
            "Answer rests on it": "yes" if fact.id in strong else "no",
            "Said in": _cell(", ".join(dict.fromkeys(map(title, fact.passages)))),
        }
        for fact in facts
    ]


def show_table(
    facts: Sequence[Fact],
    labels: Mapping[str, str],
    strong: Collection[str],
    title: Callable[[str], str],
) -> None:
    """The table, with what is left out."""
    rows = fact_rows(facts[:_MOST], labels, strong, title)
    st.table([{name: plain(value) for name, value in row.items()} for row in rows], hide_index=True)
    if len(facts) > _MOST:
        st.caption(f"Left out: {counted(len(facts) - _MOST, 'fact')}.")


def _cell(text: str) -> str:
    return one_line(printable(text), _CELL)
