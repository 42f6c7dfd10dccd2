"""The empty chat: what this is, in one screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.progress import size_text
from app.components.text import plain


def show_welcome(
    index: str, documents: int, questions: Sequence[str], ask: Callable[[str], None]
) -> None:
    """Explains itself and offers questions that the index can answer."""
    st.header("Ask your documents", anchor=False)
    st.markdown(
        "Answers come from your own documents and name the passages they rest on. "
        "Everything stays on this computer."
    )
    about = f"Asking **{plain(index)}**"
    st.caption(f"{about}, {documents:,} documents." if documents else f"{about}.")
    if questions:
        st.markdown("**Try one of these**")
        for number, question in enumerate(questions):
            st.button(
                plain(question),
                key=f"starter-{number}",
                icon=":material/arrow_forward:",
                on_click=ask,
                args=(question,),
            )
    st.markdown(
        ":material/format_quote: Each sentence carries a mark; the buttons below an answer open "
        "the passage in its document.\n\n"
        ":material/search_off: What your documents do not say is not invented: the answer is "
        "“Not in your documents”.\n\n"
        ":material/library_books: Add your own files in the library."
    )


def offer_answerer(size: int, fetch: Callable[[], None]) -> None:
    """Without the language model answers are quotations; one click fetches it."""
    with st.container(border=True):
        st.markdown(
            "**Answers are quotations for now.** With the language model they are written in "
            "sentences of their own, still with sources."
        )
        st.button(
            f"Fetch the language model ({size_text(size)})",
            icon=":material/download:",
            on_click=fetch,
        )
