"""An answer: sentences with marks, sources as buttons, abstention, and the ends that went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.notices import sentence, show_error, show_warning
from app.components.text import one_line, plain
from app.components.turn import Source, TurnView
from assistant.events import AnswerDone, SentenceChecked

OnSource = Callable[[Source], None]

_UNSUPPORTED = ":orange-badge[not supported]"


def show_answer(view: TurnView, on_source: OnSource) -> None:
    """A turn that has ended, however it ended."""
    if view.failed is not None:
        show_error(view.failed.message, view.failed.remedy)
    elif view.done is not None and view.by_assistant:
        st.markdown(plain(view.done.text))
    elif view.done is not None and view.done.abstained:
        _show_abstention(view.done)
        _show_sources(view, on_source, "Closest passages")
    elif view.done is not None:
        _show_sentences(view.done)
        _show_sources(view, on_source, "Sources")
    else:
        _show_unfinished(view)
        _show_sources(view, on_source, "Sources")


def answer_markdown(sentences: Sequence[SentenceChecked]) -> str:
    """Checked sentences with their marks, as harmless Markdown."""
    parts = []
    for checked in sentences:
        if checked.status != "dropped":
            parts.append(f"{plain(checked.text)} {marks(checked) or _UNSUPPORTED}")
    return " ".join(parts)


def marks(checked: SentenceChecked) -> str:
    """`[1] [3]`, in the page's colour."""
    numbers = sorted({citation.number for citation in checked.citations})
    return " ".join(f":primary[\\[{number}\\]]" for number in numbers)


def quotation_markdown(sentences: Sequence[SentenceChecked]) -> str:
    """Each sentence as a paragraph of its own, in quotation marks."""
    quotes = [
        f"“{plain(one_line(checked.text, 100_000))}” {marks(checked)}"
        for checked in sentences
        if checked.status != "dropped"
    ]
    return "\n\n".join(quotes)


def _show_sentences(done: AnswerDone) -> None:
    if done.quoted:
        st.caption(":material/format_quote: Quotations, word for word from your documents")
        st.markdown(quotation_markdown(done.sentences))
        return
    st.markdown(answer_markdown(done.sentences))
    unsupported = sum(checked.status == "unsupported" for checked in done.sentences)
    if unsupported:
        st.caption("Sentences marked as not supported are in none of the passages found.")


def _show_abstention(done: AnswerDone) -> None:
    with st.container(border=True):
        st.markdown("**:material/search_off: Not in your documents**")
        if done.missing:
            st.markdown(plain(sentence(done.missing)))


def _show_unfinished(view: TurnView) -> None:
    if view.written.strip():
        st.markdown(plain(view.written.strip()))
    if view.stopped:
        st.caption(":material/stop_circle: Stopped. What had been written was not all checked.")
    else:
        show_warning("this answer was interrupted", "ask the question again")


def _show_sources(view: TurnView, on_source: OnSource, title: str) -> None:
    sources = view.sources
    if not sources:
        return
    st.caption(title)
    with st.container(horizontal=True, gap="small"):
        for source in sources:
            number = source.passage.number
            if st.button(
                plain(one_line(source.label, 64)),
                key=f"source-{view.turn_id}-{number}",
                help=plain(one_line(" … ".join(source.quotes) or source.passage.text, 240)),
            ):
                on_source(source)
