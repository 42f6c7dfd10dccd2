"""Which questions lean on the conversation, and what is carried over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.types import Message
from assistant.understanding.words import simple_phrases

HISTORY = [
    Message("user", "Who designed the Eiffel Tower?"),
    Message("assistant", "The Eiffel Tower was designed by Maurice Koechlin. It is in Paris."),
]
RULES = RuleUnderstander(simple_phrases)


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
    understood = RULES.understand(question, HISTORY)
    asked, with_words = understood.queries[:2]
    assert asked.text == question
    assert asked.context == HISTORY[-1].content
    assert with_words.text.startswith(question)
    assert "Eiffel Tower" in with_words.text
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
    understood = RULES.understand(question, HISTORY)
    assert [query.text for query in understood.queries] == [understood.standalone] == [question]
    assert understood.carried == ()


def test_first_question_needs_no_history() -> None:
    assert RULES.understand("How tall is it?", []).carried == ()


def test_latest_turn_comes_first() -> None:
    history = [
        *HISTORY,
        Message("user", "Who painted the Mona Lisa in Florence?"),
        Message("assistant", "Leonardo painted it."),
    ]
    assert RULES.understand("Where is it?", history).carried[0] == "Mona Lisa"


@given(
    st.text(max_size=300),
    st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=200))),
)
def test_any_text_is_understood_somehow(question: str, history: list[Message]) -> None:
    understood = RULES.understand(question, history)
    assert len(understood.carried) <= 4
    assert 1 <= len(understood.queries) <= 5
    assert understood.reason
