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
# From here on a passage says the sentence nearly in its words; below, loosely. The least that
# counts as support at all is `assistant.answering.support.SUPPORT_THRESHOLD`.
_WELL = 0.70


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


def answer_text(view: TurnView) -> str:
    """An answer without its controls, however the turn ended, as harmless Markdown."""
    if view.failed is not None:
        return plain(sentence(view.failed.message))
    if view.done is None:
        return plain(view.written.strip()) or "Stopped before anything was written."
    if view.by_assistant:
        return plain(view.done.text)
    if view.done.abstained:
        return f"**Not in your documents** {plain(sentence(view.done.missing))}"
    return sentences_markdown(view.done)


def answer_markdown(sentences: Sequence[SentenceChecked]) -> str:
    """Checked sentences with their marks, as harmless Markdown."""
    parts = []
    for checked in sentences:
        if checked.status != "dropped":
            parts.append(f"{plain(checked.text)} {marks(checked) or _UNSUPPORTED}")
    return " ".join(parts)


def marks(checked: SentenceChecked) -> str:
    """`[1] [3 loosely]`: in the page's colour where the passage supports the sentence well, else
    paler and said in words."""
    best: dict[int, float] = {}
    for citation in checked.citations:
        best[citation.number] = max(citation.support, best.get(citation.number, 0.0))
    return " ".join(
        f":green[\\[{number}\\]]" if best[number] >= _WELL else f":gray[\\[{number} loosely\\]]"
        for number in sorted(best)
    )


def loosely(sentences: Sequence[SentenceChecked]) -> bool:
    """Whether a mark says that a passage supports its sentence loosely."""
    return any(
        citation.support < _WELL
        for checked in sentences
        if checked.status != "dropped"
        for citation in checked.citations
    )


def quotation_markdown(sentences: Sequence[SentenceChecked]) -> str:
    """Each sentence as a paragraph of its own, in quotation marks."""
    quotes = [
        f"“{plain(one_line(checked.text, 100_000))}” {marks(checked)}"
        for checked in sentences
        if checked.status != "dropped"
    ]
    return "\n\n".join(quotes)


def sentences_markdown(done: AnswerDone) -> str:
    """The sentences of an answer: quotations each by itself, what was written as one text."""
    shown = quotation_markdown if done.quoted else answer_markdown
    return shown(done.sentences)


def _show_sentences(done: AnswerDone) -> None:
    if done.quoted:
        st.caption(":material/format_quote: Quotations, word for word from your documents")
    st.markdown(sentences_markdown(done))
    if done.quoted:
        return
    if any(checked.status == "unsupported" for checked in done.sentences):
        st.caption("Sentences marked as not supported are in none of the passages found.")
    if loosely(done.sentences):
        st.caption("“Loosely”: the passage says it in other words, or says part of it.")
    if any(checked.original for checked in done.sentences):
        st.caption("Translated by the model after the check, sentence by sentence.")


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
