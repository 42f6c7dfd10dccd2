"""Ranked lists and their fusion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexes.errors import UnknownNameError
from indexes.fusion import FUSIONS, comb_mnz, fusion_named, min_max, reciprocal_rank, tm2c2, z_score
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


def test_comb_mnz_by_hand() -> None:
    rankings = {"a": _ranking((1, 3.0), (2, 2.0), (3, 1.0)), "b": _ranking((2, 10.0), (4, 0.0))}
    fused = comb_mnz(rankings, {"a": 0.6, "b": 0.4})
    assert fused == pytest.approx({1: 0.6 / 2, 2: 0.7, 3: 0.0, 4: 0.0})


def test_comb_mnz_does_not_count_a_list_without_weight() -> None:
    rankings = {"a": _ranking((1, 3.0), (2, 1.0)), "b": _ranking((2, 1.0), (3, 0.0))}
    assert comb_mnz(rankings, {"a": 1.0, "b": 0.0}) == pytest.approx({1: 1.0, 2: 0.0, 3: 0.0})


def test_z_score_by_hand() -> None:
    # a: mean 2, standard deviation 1 of (1, 1, 3, 3); b: deviation 2 of (1, 5)
    rankings = {
        "a": _ranking((1, 3.0), (2, 3.0), (3, 1.0), (4, 1.0)),
        "b": _ranking((4, 5.0), (1, 1.0)),
    }
    fused = z_score(rankings, {"a": 0.5, "b": 0.5})
    assert fused == pytest.approx({1: 1.0, 2: 1.0, 3: 0.0, 4: 1.0})


def test_tm2c2_by_hand() -> None:
    # lexical from 0 to 8; a cosine from -1 to 0.6, so that 0.2 is (0.2 + 1) / 1.6 of the way
    rankings = {
        "lexical": _ranking((1, 8.0), (2, 6.0), (3, 4.0)),
        "dense": _ranking((2, 0.6), (4, 0.2)),
    }
    fused = tm2c2(rankings, {"lexical": 0.5, "dense": 0.5})
    expected = {1: 0.5 * 4 / 8, 2: 0.5 * 2 / 8 + 0.5 * 0.4 / 1.6, 3: 0.0, 4: 0.0}
    assert fused == pytest.approx(expected)


def test_tm2c2_ranks_as_published_where_missing_scores_are_the_lowest() -> None:
    lexical, dense = {1: 8.0, 2: 6.0, 3: 4.0}, {2: 0.6, 4: 0.2, 3: 0.1}
    published = {
        row: 0.3 * lexical.get(row, 4.0) / 8 + 0.7 * (dense.get(row, 0.1) + 1) / 1.6
        for row in (1, 2, 3, 4)
    }
    rankings = {"lexical": _ranking(*lexical.items()), "dense": _ranking(*dense.items())}
    fused = tm2c2(rankings, {"lexical": 0.3, "dense": 0.7})
    gaps = [published[row] - fused[row] for row in fused]
    assert gaps == pytest.approx([gaps[0]] * 4)


def _lists(values: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, Ranking]]:
    pairs = st.lists(
        st.tuples(st.integers(0, 30), values), min_size=1, max_size=15, unique_by=lambda p: p[0]
    )
    ordered = pairs.map(lambda found: sorted(found, key=lambda p: (-p[1], p[0])))
    lists = st.dictionaries(st.sampled_from(["lexical", "dense", "sparse"]), ordered, min_size=1)
    return lists.map(lambda by_stage: {s: _ranking(*found) for s, found in by_stage.items()})


def _moved(rankings: dict[str, Ranking], factor: float, constant: float) -> dict[str, Ranking]:
    return {s: Ranking(r.rows, r.scores * factor + constant) for s, r in rankings.items()}


WEIGHTS = {"lexical": 0.4, "dense": 0.35, "sparse": 0.25}
# Quarters up to 25, so that constants and factors below are exact in float32.
quarters = st.integers(0, 100).map(lambda n: n / 4)


@pytest.mark.parametrize("name", FUSIONS)
@given(rankings=_lists(quarters))
def test_the_order_of_the_stages_does_not_matter(name: str, rankings: dict[str, Ranking]) -> None:
    fuse = FUSIONS[name]
    backwards = dict(reversed(rankings.items()))
    assert fuse(backwards, WEIGHTS) == pytest.approx(fuse(rankings, WEIGHTS))


@pytest.mark.parametrize("name", FUSIONS)
@given(rankings=_lists(quarters))
def test_every_passage_of_every_list_is_fused_and_none_is_negative(
    name: str, rankings: dict[str, Ranking]
) -> None:
    fused = FUSIONS[name](rankings, WEIGHTS)
    assert set(fused) == {row for r in rankings.values() for row in r.rows.tolist()}
    assert all(score >= 0 for score in fused.values())


@pytest.mark.parametrize("name", ["min-max", "combmnz", "z-score", "rrf"])
@given(rankings=_lists(quarters), constant=st.integers(-20, 20), factor=st.sampled_from([0.5, 4]))
def test_a_stage_s_scale_and_zero_do_not_matter(
    name: str, rankings: dict[str, Ranking], constant: int, factor: float
) -> None:
    fuse = FUSIONS[name]
    moved = fuse(_moved(rankings, factor, constant), WEIGHTS)
    assert moved == pytest.approx(fuse(rankings, WEIGHTS))


@given(rankings=_lists(quarters), factor=st.sampled_from([0.5, 4.0]))
def test_tm2c2_does_not_depend_on_the_scale_of_a_stage_with_minimum_0(
    rankings: dict[str, Ranking], factor: float
) -> None:
    rankings.pop("dense", None)
    scaled = tm2c2(_moved(rankings, factor, 0), WEIGHTS)
    assert scaled == pytest.approx(tm2c2(rankings, WEIGHTS))


@pytest.mark.parametrize("name", ["min-max", "combmnz", "tm2c2"])
@given(rankings=_lists(quarters))
def test_fused_scores_stay_within_0_and_1(name: str, rankings: dict[str, Ranking]) -> None:
    assert all(score <= 1 + 1e-9 for score in FUSIONS[name](rankings, WEIGHTS).values())


@given(rankings=_lists(quarters), factor=st.floats(0.1, 8))
def test_only_the_proportion_of_the_weights_matters(
    rankings: dict[str, Ranking], factor: float
) -> None:
    scaled = {stage: weight * factor for stage, weight in WEIGHTS.items()}
    for fuse in (min_max, comb_mnz, z_score, tm2c2):
        assert fuse(rankings, scaled) == pytest.approx(fuse(rankings, WEIGHTS))


def test_unknown_fusion_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        fusion_named("minmax")
    assert caught.value.nearest == "min-max"
