"""What kind of message it is, and what is left of it without chatter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.understanding.acts import (
    act_of,
    asks_for_shown,
    told_what_to_keep,
    without_chatter,
)
from assistant.understanding.followup import leans_on_history, points_back
from assistant.understanding.words import content_words, simple_phrases


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "Thank you so much!",
        "Great, thanks a lot.",
        "Hello there",
        "good morning",
        "ok",
        "What a nice answer",
        "How interesting!",
        "Thanks for the info.",
        "That was really helpful, thank you.",
    ],
)
def test_small_talk(text: str) -> None:
    assert act_of(text) == "small talk"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "😀😀",
        "Yes.",
        "No",
        "Thanks. How long is the lease?",
        "ok?",
        # Requests whose words would all pass for chatter.
        "Great, tell me more.",
        "OK, why",
        "More information please",
        "Is that right",
        "What information",
        "Give me the answer",
        "Nice. Show me some examples",
        "How are you?",
        "I'm looking for a car",
        "My question: what is kelp?",
        "I don't understand the lease",
        "I have some questions",
        "the lease of the flat",
    ],
)
def test_when_in_doubt_it_is_a_question(text: str) -> None:
    assert act_of(text) == "question"


@pytest.mark.parametrize(
    "text",
    [
        "I like coffee.",
        "I'm a vegetarian",
        "My car is red",
        "Yes, I live in Paris.",
        "I don't eat fish",
        "I used to play the cello",
    ],
)
def test_statements(text: str) -> None:
    assert act_of(text) == "statement"


@pytest.mark.parametrize(
    "text",
    [
        "Actually, the bike.",
        "No, I meant the other flat",
        "No, I don't eat fish",
        "That's wrong",
        "That is not what I asked",
        "Not what I wanted",
        "You misunderstood me",
        "I mean the blue boiler",
    ],
)
def test_corrections(text: str) -> None:
    assert act_of(text) == "correction"


@pytest.mark.parametrize(
    "text", ["No thanks", "No.", "Is it wrong to eat fish?", "The actual rent"]
)
def test_no_corrections(text: str) -> None:
    assert act_of(text) != "correction"


@pytest.mark.parametrize(
    ("text", "verb", "what"),
    [
        ("Remember that I am vegan.", "remember", "I am vegan"),
        ("please remember: I live in Bonn!", "remember", "I live in Bonn"),
        ("Keep in mind that I have two kids", "remember", "I have two kids"),
        ("Memorise my size: 42", "remember", "my size: 42"),
        ("memorize the blue card", "remember", "the blue card"),
        ("FORGET about my dog", "forget", "my dog"),
        ("Forget that I am vegan", "forget", "I am vegan"),
    ],
)
def test_commands(text: str, verb: str, what: str) -> None:
    assert told_what_to_keep(text) == (verb, what)
    assert act_of(text) == "command"


@pytest.mark.parametrize(
    "text",
    [
        "Remember the date of the lease?",
        "Remember the date of the lease? Thanks!",
        "Do you remember that I am vegan?",
        "I remember that the lease ended",
        "Remembering the past",
        "remember(text='I am vegan')",
        "forget-me-nots in the garden",
        "The command is: remember that I am vegan",
        "remember",
        "Remember that.",
        "forget it",
        "",
    ],
)
def test_no_commands(text: str) -> None:
    assert told_what_to_keep(text) is None
    assert act_of(text) != "command"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Thanks. Great. How long is it?", "How long is it?"),
        ("Wow, thank you so much! and the rent", "And the rent"),
        ("Okay, good: what is kelp", "What is kelp"),
        ("Great! Yes.", "Yes."),
        ("The lease ends soon. Why.", "The lease ends soon. Why."),
        ("I live in Bonn. Tell me more.", "I live in Bonn. Tell me more."),
        ("Where is it? Thanks!", "Where is it?"),
        ("Thanks!", "Thanks!"),
        ("  a\n lease\t here ", "A lease here"),
        ("", ""),
    ],
)
def test_chatter_is_left_out(text: str, left: str) -> None:
    assert without_chatter(text) == left


@given(
    st.lists(st.sampled_from(["Thanks!", "Great.", "Wow!", "That was helpful."]), max_size=4),
    st.sampled_from(["How heavy is a sea otter?", "Where?", "When does it end?", "Is it nice?"]),
    st.lists(st.sampled_from(["Thanks!", "Great.", "Cheers."]), max_size=3),
)
def test_the_question_is_never_left_out(before: list[str], asked: str, after: list[str]) -> None:
    text = " ".join([*before, asked, *after])
    assert asked in without_chatter(text)
    assert act_of(text) == "question"


@given(st.text(max_size=200))
def test_any_text_is_some_act_and_keeps_its_content(text: str) -> None:
    assert act_of(text) in ("question", "correction", "statement", "small talk", "command")
    rest = without_chatter(text)
    assert bool(text.split()) == bool(rest)


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("Show me that again", True),
        ("What did you say first? Repeat it", True),
        ("You mentioned a key", True),
        ("When does the lease end?", False),
        ("A lease against the law", False),
    ],
)
def test_asks_for_shown(text: str, again: bool) -> None:
    assert asks_for_shown(text) is again


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("How tall is it?", True),
        ("What do they eat?", True),
        ("Is the other one cheaper?", True),
        ("How do they differ from each other?", True),
        ("Who said that?", True),
        ("How many restaurants are there in Lyon?", False),
        ("Name a bridge that was painted red", False),
        ("Is there a spare key?", False),
        ("No one lives in the flat", False),
        ("How do I compare several runs with each other?", False),
        ("Do otters help one another?", False),
        ("Which kelp grows fastest?", False),
        ("", False),
    ],
)
def test_pointers(text: str, points: bool) -> None:
    assert points_back(text) is points


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("And the rent?", "it opens like a follow-up"),
        ("What about kelp forests in Norway?", "it opens like a follow-up"),
        ("Why?", "it opens like a follow-up"),
        ("How heavy does it get in winter months?", "it points at something said before"),
        ("How heavy?", "it says little by itself"),
        ("😀", "it says little by itself"),
        ("Who designed the Golden Gate Bridge?", None),
        ("Android phones and their batteries", "it points at something said before"),
        ("Orchards of the Loire valley", None),
    ],
)
def test_what_leans_on_the_conversation(text: str, why: str | None) -> None:
    assert leans_on_history(text) == why


def test_content_words() -> None:
    assert content_words("How do SEA otters’ pups sleep? x") == ["sea", "otters’", "pups", "sleep"]
    assert content_words("متى ينتهي عقد الإيجار؟") == ["متى", "ينتهي", "عقد", "الإيجار"]
    assert content_words("מתי מסתיים החוזה?") == ["מתי", "מסתיים", "החוזה"]
    assert content_words("🦦 🌊 …") == content_words("") == content_words("it is the") == []


def test_simple_phrases() -> None:
    found = simple_phrases("Who painted the Mona Lisa in Florence?")
    assert found[:2] == ["Mona Lisa", "Florence"]
    assert "painted" in found
    assert simple_phrases("") == simple_phrases("🦦") == []
