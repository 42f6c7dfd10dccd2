"""Keeping an answer as a test: a popover below it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.components.notices import errors_shown
from app.components.text import one_line
from app.components.turn import TurnView
from assistant.pipeline import MAX_QUESTION_CHARACTERS
from assistant.understanding.types import REPLIED
from eval.own.expectations import Expectation, Place
from eval.own.store import OwnQuestions

_ANSWER, _NOT_THERE = "be an answer", "say that it is not there"
_LONGEST = 80  # characters of a quotation in a list


@st.cache_resource(show_spinner=False, max_entries=8)
def own_questions(folder: Path) -> OwnQuestions:
    """The questions kept in a person's folder, opened once for the process.

    Raises:
        StorageError: the file cannot be read or written, or is damaged.
    """
    return OwnQuestions(folder)


def can_be_kept(view: TurnView) -> bool:
    """Whether there is an answer, and of the documents."""
    return view.done is not None and view.queries is not None and view.queries.act not in REPLIED


def question_of(view: TurnView) -> str:
    """What is asked, standing alone: a follow-up means nothing without its conversation."""
    written = view.queries
    follows = written is not None and (written.carried or written.way != "rules")
    return (written.standalone if written and follows else view.question).strip()


def places_of(view: TurnView) -> list[Place]:
    """What the answer cites, from the whole document to the very sentence."""
    if view.done is None or view.done.abstained:
        return []
    found: list[Place] = []
    for source in view.sources:
        passage = source.passage
        found.append(Place(passage.uri, passage.title))
        if passage.page is not None:
            found.append(Place(passage.uri, passage.title, passage.page))
        found += [Place(passage.uri, passage.title, passage.page, quote) for quote in source.quotes]
    return list(dict.fromkeys(found))


def place_label(place: Place) -> str:
    """For a list; not escaped."""
    return one_line(place.in_words, _LONGEST)


@st.fragment
def show_keep_test(view: TurnView, own_questions: OwnQuestions) -> None:
    """A popover that keeps the question with what its answer has to be; or that it is kept."""
    if not can_be_kept(view):
        return
    with errors_shown():
        kept = own_questions.of_turn(view.turn_id)
        if kept:
            st.caption(":material/fact_check: Kept as a test. You find it under “Evaluation”.")
            return
        popover = st.popover(
            "Keep as a test",
            icon=":material/fact_check:",
            type="tertiary",
            key=f"keep-test-{view.turn_id}",
            on_change="rerun",  # the form is drawn when it is opened: there may be many answers
            help="Ask it again after a change of documents, models or settings.",
        )
        with popover:
            if popover.open:
                _form(view, own_questions)


def _form(view: TurnView, kept: OwnQuestions) -> None:
    places = places_of(view)
    abstained = view.done is not None and view.done.abstained
    with st.form(f"test-{view.turn_id}", border=False):
        question = st.text_area(
            "Question", question_of(view), max_chars=MAX_QUESTION_CHARACTERS, height=68
        )
        expectation = expectation_fields(places, places[:1], (), not_there=abstained)
        sent = st.form_submit_button("Keep", type="primary")
    if sent:
        with errors_shown():
            kept.add(question, view.index, expectation, turn=view.turn_id)
            st.toast("Kept as a test.", icon=":material/fact_check:")
            st.rerun(scope="fragment")


def expectation_fields(
    places: Sequence[Place],
    cited: Sequence[Place],
    contains: Sequence[str],
    *,
    not_there: bool,
    key: str = "",
) -> Expectation:
    """Fields of a form for what an answer has to be; the expectation is not checked yet.

    Args:
        places: that can be chosen; `cited` are chosen at first.
        key: begins the fields' keys, where a page has several such forms.
    """
    ways = (_ANSWER, _NOT_THERE)
    way = st.radio(
        "It has to",
        ways,
        index=int(not_there),
        horizontal=True,
        key=f"{key}-way" if key else None,
    )
    chosen: list[Place] = []
    if places:
        chosen = st.multiselect(
            "and to cite",
            list(places),
            list(cited),
            format_func=place_label,
            placeholder="Nothing in particular",
            key=f"{key}-cites" if key else None,
        )
    words = st.text_area(
        "and to contain",
        "\n".join(contains),
        placeholder="Words that have to stand in it, one line each",
        height=68,
        key=f"{key}-contains" if key else None,
    )
    if way == _NOT_THERE:
        chosen = []  # they are chosen at first, so they say nothing
    return Expectation(tuple(chosen), tuple(words.splitlines()), way == _NOT_THERE)
