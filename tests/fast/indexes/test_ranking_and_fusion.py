"""Ranked lists and their fusion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexes.errors import UnknownNameError
from indexes.fusion import fusion_named, min_max, reciprocal_rank
from indexes.ranking import Ranking, top

scores = arrays(
    np.float32, st.integers(0, 60), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 3.5])
)


@given(scores, st.integers(1, 20))
def test_top_equals_a_full_sort(values: np.ndarray, depth: int) -> None:
    expected = sorted(
        (row for row in range(len(values)) if values[row] > 0), key=lambda row: (-values[row], row)
    )[:depth]
    ranking = top(values, depth)
    assert ranking.rows.tolist() == expected
    assert ranking.scores.tolist() == [values[row] for row in expected]


def _ranking(*pairs: tuple[int, float]) -> Ranking:
    rows, values = zip(*pairs, strict=True)
    return Ranking(np.array(rows), np.array(values, dtype=np.float32))


def test_min_max_by_hand() -> None:
    rankings = {"a": _ranking((1, 3.0), (2, 2.0), (3, 1.0)), "b": _ranking((2, 10.0), (4, 0.0))}
    fused = min_max(rankings, {"a": 0.6, "b": 0.4})
    assert fused == pytest.approx({1: 0.6, 2: 0.6 * 0.5 + 0.4, 3: 0.0, 4: 0.0})


def test_min_max_without_a_stage_keeps_the_scale() -> None:
    rankings = {"a": _ranking((1, 3.0), (2, 1.0)), "b": Ranking.empty()}
    assert min_max(rankings, {"a": 0.3, "b": 0.7}) == pytest.approx({1: 1.0, 2: 0.0})


def test_min_max_of_equal_scores_counts_them_all() -> None:
    assert min_max({"a": _ranking((7, 2.0), (8, 2.0))}, {"a": 1.0}) == {7: 1.0, 8: 1.0}


def test_reciprocal_rank_by_hand() -> None:
    rankings = {"a": _ranking((1, 9.0), (2, 8.0)), "b": _ranking((2, 0.1))}
    fused = reciprocal_rank(rankings, {"a": 1.0, "b": 0.5})
    assert fused == pytest.approx({1: 1 / 61, 2: 1 / 62 + 0.5 / 61})


@given(
    st.dictionaries(
        st.sampled_from(["lexical", "dense", "sparse"]),
        st.lists(
            st.tuples(st.integers(0, 30), st.floats(0, 100, width=32)),
            min_size=1,
            max_size=15,
            unique_by=lambda pair: pair[0],
        ),
        min_size=1,
    ),
    st.floats(0.5, 8, width=32),
)
def test_min_max_does_not_depend_on_a_stage_scale(
    lists: dict[str, list[tuple[int, float]]], factor: float
) -> None:
    weights = {"lexical": 0.4, "dense": 0.35, "sparse": 0.25}
    plain = min_max({s: _ranking(*pairs) for s, pairs in lists.items()}, weights)
    scaled = min_max(
        {s: _ranking(*((r, v * factor) for r, v in pairs)) for s, pairs in lists.items()}, weights
    )
    assert scaled == pytest.approx(plain, abs=1e-3)
    assert all(-1e-6 <= value <= 1 + 1e-6 for value in plain.values())


def test_unknown_fusion_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        fusion_named("minmax")
    assert caught.value.nearest == "min-max"
