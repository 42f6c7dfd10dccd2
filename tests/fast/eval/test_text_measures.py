"""ROUGE-L and sentence similarity against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.text_measures import (
    longest_common_subsequence,
    matched_f1,
    rouge_l,
    sentences,
    similarity,
    word_tokens,
)
from tests.fast.indexes.sources import HashedDense

TOKENS = st.lists(st.sampled_from("abcd"), max_size=12)


def test_rouge_l_of_lins_examples() -> None:
    """Lin (2004), section 3.1: with beta = 1, S2 scores 3/4 and S3 scores 2/4."""
    reference = ["police killed the gunman"]
    assert rouge_l("police kill the gunman", reference) == 0.75
    assert rouge_l("the gunman kill police", reference) == 0.5
    # section 3.1 again: only one in-sequence pair counts, "the gunman" or "police killed"
    assert rouge_l("the gunman police killed", reference) == 0.5


def test_rouge_l_of_different_lengths() -> None:
    # LCS 2 of 2 written and of 5 wanted words: 2·2 / 7
    assert rouge_l("lease ends", ["the lease of Lyon ends"]) == pytest.approx(4 / 7)
    # words in between do not break a subsequence, but cost precision: LCS 2 of 4 and of 2
    assert rouge_l("the lease soon ends", ["lease ends"]) == pytest.approx(4 / 6)


def test_rouge_l_takes_the_best_reference() -> None:
    assert rouge_l("kelp grows", ["otters sleep", "kelp grows fast"]) == pytest.approx(4 / 5)


def test_rouge_l_ignores_case_and_punctuation_but_not_accents() -> None:
    assert word_tokens("It's über-FAST, 3.5 m!") == ["it", "s", "über", "fast", "3", "5", "m"]
    assert rouge_l("KELP, grows!", ["kelp grows"]) == 1.0
    assert rouge_l("cafe", ["café"]) == 0.0


@pytest.mark.parametrize(
    ("response", "references"), [("", ["a"]), ("a", [""]), ("a", []), ("", [])]
)
def test_nothing_scores_nothing(response: str, references: list[str]) -> None:
    assert rouge_l(response, references) == 0.0
    assert similarity(response, references, HashedDense()) == 0.0


@given(TOKENS, TOKENS)
def test_common_subsequence_is_symmetric_and_bounded(a: list[str], b: list[str]) -> None:
    length = longest_common_subsequence(a, b)
    assert length == longest_common_subsequence(b, a)
    # whatever is common at all gives one, and no more than the shared counts can give
    assert bool(set(a) & set(b)) <= length <= sum(min(a.count(t), b.count(t)) for t in set(a))


@given(TOKENS, st.sets(st.integers(0, 11)))
def test_a_subsequence_is_found_whole(a: list[str], kept: set[int]) -> None:
    part = [token for position, token in enumerate(a) if position in kept]
    assert longest_common_subsequence(a, part) == len(part)


def test_matching_by_hand() -> None:
    east, north = [1.0, 0.0], [0.0, 1.0]
    half = np.array([[0.6, 0.8]], dtype=np.float32)
    # the one sentence finds its like (precision 1), one of two is found (recall .5)
    assert matched_f1(np.array([east]), np.array([east, north])) == pytest.approx(2 / 3)
    # precision .8 (its best), recall (.6 + .8) / 2 = .7: 2·.8·.7 / 1.5
    assert matched_f1(half, np.array([east, north])) == pytest.approx(1.12 / 1.5)
    assert matched_f1(np.array([east]), np.array([[-1.0, 0.0]])) == 0.0


def test_similarity_is_by_sentence() -> None:
    encoder = HashedDense()
    reference = "Otters sleep on their backs. Kelp grows fast."
    assert similarity("Kelp grows fast. Otters sleep on their backs.", [reference], encoder) == (
        pytest.approx(1.0, abs=1e-6)
    )
    part = similarity("Kelp grows fast.", [reference], encoder)
    assert 0.5 < part < 1.0
    assert similarity("Kelp grows fast.", ["Boilers need gas.", reference], encoder) == (
        pytest.approx(part, abs=1e-6)
    )


def test_sentences_leave_out_what_says_nothing() -> None:
    assert sentences("Kelp  grows.\n\n…\n\nOtters sleep!") == ["Kelp grows.", "Otters sleep!"]
