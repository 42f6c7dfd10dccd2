"""Questions that can be asked next."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.components.text import one_line, plain

Find = Callable[[Callable[[], object]], tuple[str, ...]]


def show_suggestions(turn_id: str, find: Find, ask: Callable[[str], None]) -> None:
    """One button for each; looked for once for each turn.

    Args:
        find: is given what it has to call between two searches. Streamlit ends a run of the page
            only where something is drawn, and a question that is sent meanwhile would have to wait.
    """
    key = f"suggested-{turn_id}"
    if key not in st.session_state:
        st.session_state[key] = find(st.empty().empty)
    questions: tuple[str, ...] = st.session_state[key]
    if not questions:
        return
    st.caption("You could ask next")
    with st.container(gap="xxsmall"):
        for number, question in enumerate(questions):
            st.button(
                plain(one_line(question, 160)),
                key=f"{key}-{number}",
                icon=":material/arrow_forward:",
                type="tertiary",
                on_click=ask,
                args=(question,),
            )
