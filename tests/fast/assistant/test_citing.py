"""Citations: streamed text becomes checked sentences."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.citing import CitationWriter, answer_text, cited_numbers
from assistant.answering.evidence import sentences_of
from assistant.answering.support import SupportScorer
from assistant.events import SentenceChecked
from tests.fast.assistant.helpers import OTTERS, passage, passages


def _write(text: str, *, step: int = 5, drop: bool = False) -> list[SentenceChecked]:
    found = passages()
    writer = CitationWriter(found, SupportScorer(sentences_of(found), None), drop=drop)
    streamed = [s for i in range(0, len(text), step) for s in writer.feed(text[i : i + step])]
    streamed += writer.finish()
    assert streamed == writer.sentences
    return streamed


ANSWER = "Sea otters wrap themselves in kelp [1]. Kelp grows half a metre a day. [2]"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_marks_before_and_after_the_full_stop(step: int) -> None:
    first, second = _write(ANSWER, step=step)
    assert first.text == "Sea otters wrap themselves in kelp."
    assert second.text == "Kelp grows half a metre a day."
    assert [c.number for c in first.citations] == [1]
    assert [c.number for c in second.citations] == [2]
    assert all(c.by_model for s in (first, second) for c in s.citations)


def test_a_citation_opens_the_very_sentence() -> None:
    (sentence,) = _write("Otters wrap themselves in kelp [1].")
    (citation,) = sentence.citations
    assert citation.quote == "They wrap themselves in kelp so as not to drift away."
    assert OTTERS[citation.start - 100 : citation.end - 100] == citation.quote


def test_wrong_number_is_replaced_by_the_passage_that_supports() -> None:
    (sentence,) = _write("Kelp grows half a metre a day [1].")
    assert [(c.number, c.by_model) for c in sentence.citations] == [(2, False)]


def test_number_that_does_not_exist_is_never_shown() -> None:
    (sentence,) = _write("Kelp grows half a metre a day [9].")
    assert [c.number for c in sentence.citations] == [2]


def test_unsupported_sentence_is_marked_or_dropped() -> None:
    text = "Kelp grows half a metre a day [2]. Penguins eat chocolate cake on Mondays [1]."
    marked = _write(text)
    assert marked[1].status == "unsupported"
    assert answer_text(marked).endswith("Penguins eat chocolate cake on Mondays. [unsupported]")
    dropped = _write(text, drop=True)
    assert dropped[1].status == "dropped"
    assert answer_text(dropped) == "Kelp grows half a metre a day. [2]"


def test_wrong_year_is_not_supported() -> None:
    assert _write("Kelp was first farmed in 1952 in Japan [2].")[0].status == "supported"
    assert _write("Kelp was first farmed in 1962 in Japan [2].")[0].status == "unsupported"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a [1].", {1}),
        ("a [1][3].", {1, 3}),
        ("a [1, 2].", {1, 2}),
        ("a [2-4].", {2, 3, 4}),
        ("in [2024] and", set()),
        ("a (1) [x].", set()),
    ],
)
def test_cited_numbers(text: str, numbers: set[int]) -> None:
    assert cited_numbers(text) == numbers


def test_index_of_a_list_is_no_citation() -> None:
    found = (passage(1, "Use sys.argv[1] to read the first argument."),)
    writer = CitationWriter(found, SupportScorer(sentences_of(found), None), drop=False)
    (sentence,) = [
        *writer.feed("Use sys.argv[1] to read the first argument [1]."),
        *writer.finish(),
    ]
    assert sentence.text == "Use sys.argv[1] to read the first argument."
    assert [c.number for c in sentence.citations] == [1]


@pytest.mark.parametrize("text", ["Yes.", "No.", "Yes, it is."])
def test_bare_yes_is_supported_by_nothing(text: str) -> None:
    assert _write(f"{text} [1]")[0].status == "unsupported"


def _words_of(sentences: list[SentenceChecked]) -> str:
    return re.sub(r"\W", "", "".join(sentence.text for sentence in sentences))


@given(st.text(alphabet="ab .!?[]1,2\n", max_size=80), st.integers(1, 9))
def test_any_text_however_it_is_cut(text: str, step: int) -> None:
    whole = _write(text, step=1000)
    cut = _write(text, step=step)
    # Punctuation that stands alone belongs to no sentence; no word may be lost or doubled.
    assert _words_of(cut) == _words_of(whole)
    assert all(c.number in (1, 2) for s in cut for c in s.citations)
