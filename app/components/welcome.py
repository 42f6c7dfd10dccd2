"""The empty chat: what this is, in one screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.text import plain
from app.components.tour import show_tour, show_tour_again, tour_is_on
from app.components.words import counted
from assistant.memory.preferences import Preferences


def show_welcome(
    index: str,
    documents: int,
    questions: Sequence[str],
    ask: Callable[[str], None],
    preferences: Preferences,
    *,
    local: bool,
) -> None:
    """Explains itself and offers questions that the index can answer.

    Args:
        preferences: know whether the tour is over.
        local: nothing leaves the computer; false where a remote endpoint writes the answers.
    """
    st.header("Ask your documents", anchor=False)
    where = (
        "Everything stays on this computer."
        if local
        else "Your question and the passages found go to the endpoint in the settings."
    )
    st.markdown(f"Answers come from your documents, with their sources. {where}")
    about = f"Asking **{plain(index)}**"
    st.caption(f"{about}, {counted(documents, 'document')}." if documents else f"{about}.")
    with st.container(horizontal=True, gap="small"):  # one screen: the page begins at its end
        for number, question in enumerate(questions):
            st.button(
                plain(question),
                key=f"starter-{number}",
                icon=":material/arrow_forward:",
                on_click=ask,
                args=(question,),
            )
    if tour_is_on(preferences):
        show_tour(preferences, asked=False)
        return
    st.markdown(
        ":material/format_quote: Each sentence carries a mark; the buttons below an answer open "
        "the passage in its document.\n\n"
        ":material/search_off: What your documents do not say is not invented: the answer is "
        "“Not in your documents”.\n\n"
        ":material/library_books: Add your own files in the library."
    )
    show_tour_again()
