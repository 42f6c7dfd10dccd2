"""Which questions lean on the conversation, and what is carried over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.understanding.acts import without_chatter
from assistant.understanding.followup import MAX_CARRIED, carried_phrases
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


def test_topic_change_leaves_the_old_topic() -> None:
    history = [
        *HISTORY,
        Message("user", "What do sea otters eat?"),
        Message("assistant", "Sea otters eat urchins."),
        Message("user", "Do otters use stones?"),
        Message("assistant", "Otters open shells with stones."),
    ]
    carried = RULES.understand("How heavy are they?", history).carried
    assert "otters" in carried[0]
    assert RULES.understand("How long is the Golden Gate Bridge?", history).carried == ()


def test_older_than_three_turns_is_not_carried() -> None:
    fillers = [
        Message(role, "kelp forests grow")  # type: ignore[arg-type]
        for _ in range(3)
        for role in ("user", "assistant")
    ]
    carried = carried_phrases("How tall is it?", [*HISTORY, *fillers], simple_phrases)
    assert not any("Eiffel" in phrase for phrase in carried)


def test_names_come_before_other_words() -> None:
    history = [Message("user", "was the furniture delivered to Berthier yesterday")]
    carried = carried_phrases("When was it?", history, simple_phrases)
    assert carried[0] == "Berthier"
    assert len(carried) <= MAX_CARRIED


def test_own_words_come_before_those_of_the_answer() -> None:
    history = [Message("user", "about zebras"), Message("assistant", "giraffes are near")]
    carried = carried_phrases("And them?", history, simple_phrases)
    assert carried.index("zebras") < carried.index("giraffes")


def test_what_the_message_says_already_is_not_carried() -> None:
    carried = carried_phrases("Where is the Eiffel Tower then?", HISTORY, simple_phrases)
    assert "Eiffel Tower" not in carried


def test_values_of_an_answer_are_not_carried() -> None:
    history = [Message("user", "rent"), Message("assistant", "Rent 870 Euros Lyon2024 monthly.")]
    assert not any(
        character.isdigit()
        for phrase in carried_phrases("And it?", history, simple_phrases)
        for character in phrase
    )


def _long_history(turns: int) -> list[Message]:
    return [
        Message("user" if n % 2 == 0 else "assistant", f"Topic{n} about the Tower{n} of Bridge{n}.")
        for n in range(2 * turns)
    ]


@pytest.mark.parametrize("question", ["How tall is it?", "And why?", "Thanks!", "🦦", "עליו?"])
def test_long_conversation_costs_and_says_what_its_end_does(question: str) -> None:
    asked: list[str] = []

    def phrases(text: str) -> list[str]:
        asked.append(text)
        return simple_phrases(text)

    history = _long_history(100)
    whole = RuleUnderstander(phrases).understand(question, history)
    assert len(asked) <= 6
    assert all(len(text) <= 500 for text in asked)
    assert whole == RULES.understand(question, history[-6:])


@pytest.mark.parametrize(
    "question",
    [
        "ومتى ينتهي؟",
        "כמה זה עולה?",
        "🦦🦦 how heavy 🦦?",
        "\u202eesrever si siht",
        "e\u0301 a\u200bb",
        "x" * 8_000,
        "word " * 1_600,
        "Is it? " * 1_140,
        "Thanks! " * 1_000,
        "A-" * 4_000,
        "A " * 4_000,
        " that is" * 1_000,
    ],
)
@pytest.mark.parametrize("history", [[], HISTORY, [Message("assistant", ""), Message("user", "")]])
def test_odd_messages(question: str, history: list[Message]) -> None:
    understood = RULES.understand(question, history)
    assert understood.queries[0].text == without_chatter(question)
    assert len(understood.queries) <= 5
    assert len(understood.carried) <= MAX_CARRIED
    assert understood.way == "rules" and understood.model_calls == 0


def test_right_to_left_phrases_are_carried_over() -> None:
    history = [Message("user", "متى ينتهي عقد الإيجار؟"), Message("assistant", "في مارس.")]
    assert "الإيجار" in RULES.understand("لماذا؟", history).carried


def test_empty_message() -> None:
    understood = RULES.understand("", HISTORY)
    assert understood.queries[0].text == "" and understood.carried


def test_several_questions_are_searched_for_one_by_one() -> None:
    understood = RULES.understand("When does the lease end? Who has a spare key?", [])
    assert [(q.aspect, q.text) for q in understood.queries] == [
        ("question", "When does the lease end? Who has a spare key?"),
        ("part", "When does the lease end?"),
        ("part", "Who has a spare key?"),
    ]


def test_asks_back_where_a_first_message_points_at_nothing() -> None:
    assert "“How tall is it?”" in RULES.understand("How tall is it?", []).clarify
    assert RULES.understand("How tall is it?", HISTORY).clarify == ""
    assert RULES.understand("How tall is the tower?", []).clarify == ""
    assert RULES.understand("Thanks for that", []).clarify == ""
