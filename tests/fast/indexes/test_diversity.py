"""Maximal marginal relevance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import UsageError
from indexes.refining.diversity import diversified, vector_similarity, word_overlap


def test_by_hand() -> None:
    # relevance scaled: 1, 0.8, 0. Half weight: 1 is like 0 (0.5·0.8 − 0.5·0.9 = −0.05), 2 is not
    # (0 − 0.5·0), so it comes second.
    similar = np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], dtype=np.float32)
    assert diversified([10.0, 8.0, 0.0], similar, 0.5) == [0, 2, 1]
    assert diversified([10.0, 8.0, 0.0], similar, 0.1) == [0, 1, 2]


def test_only_novelty_after_the_first() -> None:
    similar = np.array([[1, 0.2, 0.1], [0.2, 1, 0.9], [0.1, 0.9, 1]], dtype=np.float32)
    assert diversified([3.0, 2.0, 1.0], similar, 1.0) == [0, 2, 1]


def test_word_overlap_by_hand() -> None:
    similar = word_overlap(["a b c", "B c d", "x", ""])
    assert similar[0].tolist() == pytest.approx([1.0, 0.5, 0.0, 0.0])
    assert similar[3, 3] == 1.0
    assert (similar == similar.T).all()


def test_vectors_that_point_apart_are_not_similar() -> None:
    vectors = np.array([[1, 0], [-1, 0], [0.6, 0.8]], dtype=np.float32)
    assert vector_similarity(vectors)[0].tolist() == pytest.approx([1.0, 0.0, 0.6])


relevances = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.5, 7.0]), max_size=12)


def _similar(size: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).random((size, size)).astype(np.float32)
    return np.maximum(values, values.T)


@given(relevances, st.integers(0, 5))
def test_without_diversity_the_order_is_by_relevance(relevance: list[float], seed: int) -> None:
    order = diversified(relevance, _similar(len(relevance), seed), 0.0)
    assert order == sorted(range(len(relevance)), key=lambda p: (-relevance[p], p))


@given(relevances, st.integers(0, 5), st.floats(0, 1))
def test_no_passage_is_lost_and_the_best_stays_first(
    relevance: list[float], seed: int, diversity: float
) -> None:
    order = diversified(relevance, _similar(len(relevance), seed), diversity)
    assert sorted(order) == list(range(len(relevance)))
    if relevance:
        assert relevance[order[0]] == max(relevance)


@given(relevances, st.floats(0, 0.99))
def test_where_nothing_is_alike_the_order_is_by_relevance(
    relevance: list[float], diversity: float
) -> None:
    order = diversified(relevance, np.eye(len(relevance), dtype=np.float32), diversity)
    assert [relevance[p] for p in order] == sorted(relevance, reverse=True)


def test_a_share_outside_0_and_1_is_refused() -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        diversified([1.0], np.eye(1, dtype=np.float32), 1.5)
