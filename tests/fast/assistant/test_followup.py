"""Which questions lean on the conversation, and what is carried over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.understanding.followup import simple_phrases, understand

HISTORY = [
    (
        "Who designed the Eiffel Tower?",
        "The Eiffel Tower was designed by Maurice Koechlin. It is in Paris.",
    )
]


@pytest.mark.parametrize(
    "question",
    [
        "How tall is it?",
        "And in feet?",
        "What about its colour?",
        "When did they build that?",
        "Why?",
    ],
)
def test_followups_carry_over(question: str) -> None:
    understood = understand(question, HISTORY, simple_phrases)
    assert "Eiffel Tower" in understood.query
    assert understood.query.startswith(question)
    assert understood.carried


@pytest.mark.parametrize(
    "question",
    [
        "Who designed the Golden Gate Bridge in San Francisco?",
        "How many restaurants are there in central Lyon?",
        "Name a bridge that was painted red in California",
    ],
)
def test_complete_questions_stay_as_they_are(question: str) -> None:
    understood = understand(question, HISTORY, simple_phrases)
    assert understood.query == understood.standalone == question
    assert understood.carried == ()


def test_first_question_needs_no_history() -> None:
    assert understand("How tall is it?", [], simple_phrases).carried == ()


def test_latest_turn_comes_first() -> None:
    history = [*HISTORY, ("Who painted the Mona Lisa in Florence?", "Leonardo painted it.")]
    assert understand("Where is it?", history, simple_phrases).carried[0] == "Mona Lisa"


@given(
    st.text(max_size=300),
    st.lists(st.tuples(st.text(max_size=200), st.text(max_size=200)), max_size=5),
)
def test_any_text_is_understood_somehow(question: str, history: list[tuple[str, str]]) -> None:
    understood = understand(question, history, simple_phrases)
    assert len(understood.carried) <= 4
    assert understood.reason
