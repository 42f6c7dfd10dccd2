"""What may stand for a quotation."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.faithful import is_faithful

QUESTION = "When was kelp first farmed?"
QUOTE = "It was first farmed in 1952 in Japan, at 3.5 metres."
ANSWER = "1952"

words = st.lists(
    st.text(string.ascii_lowercase, min_size=2, max_size=8), min_size=3, max_size=10, unique=True
)


def test_question_and_quotation_together_are_enough() -> None:
    assert is_faithful("Kelp was first farmed in 1952.", QUESTION, QUOTE, ANSWER)
    assert is_faithful("Kelp was first farmed in Japan in 1952!", QUESTION, QUOTE, ANSWER)


def test_endings_of_words_do_not_matter() -> None:
    assert is_faithful("The first farming of kelp was in 1952.", QUESTION, QUOTE, ANSWER)


@pytest.mark.parametrize(
    "sentence",
    [
        "Kelp was first farmed in Japan.",  # without the answer
        "Kelp was first farmed in 1952 in China.",  # another place
        "Kelp was first farmed in 1952, not 1953.",  # another number
        "Kelp was first farmed in 1952 at 3,5 metres.",  # the number is another one as written
        "Kelp was first farmed in 1952",  # unfinished
        "In 1952.",  # no sentence
        "",
    ],
)
def test_what_is_refused(sentence: str) -> None:
    assert not is_faithful(sentence, QUESTION, QUOTE, ANSWER)


@given(words, st.data())
def test_a_quotation_that_holds_the_answer_is_faithful(found: list[str], data) -> None:
    first = data.draw(st.integers(0, len(found) - 1))
    last = data.draw(st.integers(first, len(found) - 1))
    quote = " ".join(found) + "."
    assert is_faithful(quote, "who is it", quote, " ".join(found[first : last + 1]))


@given(words, st.integers(0, 10**6))
def test_an_unknown_number_is_refused(found: list[str], number: int) -> None:
    quote = " ".join(found) + "."
    assert not is_faithful(f"{' '.join(found)} {number}.", "who is it", quote, found[0])


@given(words, st.text(string.ascii_lowercase, min_size=9, max_size=12))
def test_an_unknown_word_is_refused(found: list[str], unknown: str) -> None:
    # stems of ten letters and more cannot be those of words of at most eight
    quote = " ".join(found) + "."
    assert not is_faithful(f"{' '.join(found)} {unknown}x.", "who is it", quote, found[0])


@given(st.text(max_size=60), st.text(max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_any_text_can_be_judged(sentence: str, question: str, quote: str, answer: str) -> None:
    assert is_faithful(sentence, question, quote, answer) in (True, False)
