"""The kept questions: a list; one is opened to be changed or deleted, a new one written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import streamlit as st

from app.components.keep_test import expectation_fields
from app.components.notices import errors_shown, say_next
from app.components.text import one_line, plain
from assistant.errors import UsageError
from assistant.pipeline import MAX_QUESTION_CHARACTERS
from eval.own.expectations import Expectation, Place
from eval.own.kept import OwnQuestion, OwnResult
from eval.own.store import OwnQuestions
from indexes.index import Index

_DOCUMENTS = 2_000  # that can be chosen among; the command line takes any address


def question_rows(
    questions: Sequence[OwnQuestion], latest: Mapping[str, OwnResult]
) -> list[dict[str, Any]]:
    """The table of questions. `latest` is the last result by question."""
    rows = []
    for question in questions:
        result = latest.get(question.id)
        state = "not asked yet" if result is None else "passes" if result.judged.passed else "fails"
        rows.append(
            {
                "last": state,
                "question": one_line(question.question, 200),
                "the answer": one_line(question.expectation.in_words, 200),
                "index": question.index,
            }
        )
    return rows


def show_questions(
    kept: OwnQuestions,
    questions: Sequence[OwnQuestion],
    latest: Mapping[str, OwnResult],
    indexes: Sequence[str],
) -> None:
    """The table; the chosen row opens below."""
    chosen = st.dataframe(
        question_rows(questions, latest),
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key="own-questions",
    )
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(questions):
        _show_one(kept, questions[rows[0]], indexes)
    else:
        st.caption("Choose a row to change or delete a question.")


def _show_one(kept: OwnQuestions, question: OwnQuestion, indexes: Sequence[str]) -> None:
    names = [*indexes] if question.index in indexes else [question.index, *indexes]
    key = f"own-{question.id}"
    with st.container(border=True):
        with st.form(key, border=False):
            text = st.text_area(
                "Question",
                question.question,
                max_chars=MAX_QUESTION_CHARACTERS,
                height=68,
                key=f"{key}-text",
            )
            index = st.selectbox(
                "Index", names, index=names.index(question.index), key=f"{key}-index"
            )
            expected = question.expectation
            wanted = expectation_fields(
                expected.cites,
                expected.cites,
                expected.contains,
                not_there=expected.not_there,
                key=key,
            )
            saved = st.form_submit_button("Save", type="primary")
        if st.button("Delete this question", key=f"{key}-delete", icon=":material/delete:"):
            _delete(kept, question)
    if saved:
        with errors_shown():
            kept.change(question.id, text, index, wanted)
            say_next("Saved.", ":material/check:")
            st.rerun()


def _delete(kept: OwnQuestions, question: OwnQuestion) -> None:
    with errors_shown():
        kept.delete(question.id)
        say_next(plain(f"Deleted: “{one_line(question.question)}”"), ":material/delete:")
        st.rerun()


def show_new_question(
    kept: OwnQuestions, names: Sequence[str], open_index: Callable[[str], Index], default: str
) -> None:
    """A form for a question that was not asked in the chat."""
    expander = st.expander(
        "Write one yourself", icon=":material/add:", key="new-own", on_change="rerun"
    )
    if not expander.open:  # the documents are listed when they are needed
        return
    with expander, errors_shown():
        index = st.selectbox(
            "Index",
            names,
            index=names.index(default) if default in names else 0,
            key="new-own-index",
        )
        listed = islice(open_index(index).store.documents(), _DOCUMENTS)
        documents = {document.uri: document.title or document.uri for document in listed}
        with st.form("new-own-question", border=False, clear_on_submit=False):
            text = st.text_area(
                "Question", max_chars=MAX_QUESTION_CHARACTERS, height=68, key="new-own-text"
            )
            uri = st.selectbox(
                "Document that it has to cite",
                list(documents),
                index=None,
                format_func=lambda name: documents.get(name, name),
                placeholder="None in particular",
                key=f"new-own-document-{index}",
            )
            page = st.number_input(
                "Page of it", min_value=1, value=None, step=1, key="new-own-page"
            )
            wanted = expectation_fields((), (), (), not_there=False, key="new-own")
            sent = st.form_submit_button("Keep", type="primary")
        if sent:
            with errors_shown():
                kept.add(text, index, _with_document(wanted, uri, page, documents))
                say_next("Kept as a test.", ":material/fact_check:")
                st.rerun()


def _with_document(
    wanted: Expectation, uri: str | None, page: int | None, titles: Mapping[str, str]
) -> Expectation:
    if uri is None:
        if page is not None:
            raise UsageError("a page was given without a document", remedy="choose the document")
        return wanted
    return Expectation((Place(uri, titles[uri], page),), wanted.contains, wanted.not_there)
