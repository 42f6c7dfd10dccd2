"""Weights that depend on the query."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.query_weights import agreement, by_agreement, for_exact_words, wants_exact_words
from indexes.ranking import Ranking

WEIGHTS = {"lexical": 0.4, "dense": 0.35, "sparse": 0.25}


@pytest.mark.parametrize(
    "query",
    [
        'who said "to be or not"',
        "error E404 while saving",
        "ADAR1 binds",
        "what does max_words do",
        "numpy.linalg fails",
        "`make` fails",
    ],
)
def test_identifiers_and_quoted_phrases_are_seen(query: str) -> None:
    assert wants_exact_words(query)
    assert for_exact_words(query, WEIGHTS, 2.0) == {**WEIGHTS, "lexical": 0.8}


@pytest.mark.parametrize("query", ["who wrote it in 1999?", "a plain question.", "U.S. law", ""])
def test_plain_queries_keep_the_weights(query: str) -> None:
    assert for_exact_words(query, WEIGHTS, 2.0) == WEIGHTS


def _ranking(rows: list[int]) -> Ranking:
    return Ranking(np.array(rows, dtype=np.int64), np.ones(len(rows), dtype=np.float32))


def test_agreement_by_hand() -> None:
    rankings = {
        "lexical": _ranking([1, 2, 3]),
        "dense": _ranking([2, 1, 9]),
        "sparse": _ranking([7, 8, 1]),
    }
    assert agreement(rankings, depth=2) == {"lexical": 0.5, "dense": 0.5, "sparse": 0.0}


def test_the_list_that_agrees_less_weighs_less() -> None:
    rankings = {name: _ranking([1, 2]) for name in ("lexical", "dense")}
    rankings["sparse"] = _ranking([8, 9])
    found = by_agreement(rankings, WEIGHTS, 2.0)
    # of ten first passages two are shared by the two: .1 each, .0, mean .2 / 3
    assert found["lexical"] == pytest.approx(0.4 * math.exp(2 * (0.1 - 0.2 / 3)))
    assert found["sparse"] == pytest.approx(0.25 * math.exp(2 * (0.0 - 0.2 / 3)))


@given(
    st.dictionaries(
        st.sampled_from(sorted(WEIGHTS)), st.lists(st.integers(0, 20), unique=True, max_size=15)
    ),
    st.floats(0, 4),
)
def test_weights_stay_positive_and_strength_0_changes_nothing(
    lists: dict[str, list[int]], strength: float
) -> None:
    rankings = {name: _ranking(rows) for name, rows in lists.items()}
    assert by_agreement(rankings, WEIGHTS, 0.0) == pytest.approx(WEIGHTS)
    assert all(weight > 0 for weight in by_agreement(rankings, WEIGHTS, strength).values())
