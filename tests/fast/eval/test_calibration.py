"""Calibration and risk–coverage against values worked out by hand and by other means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from assistant.errors import UsageError
from eval.calibration import (
    Sigmoid,
    area_under_risk_coverage,
    area_under_roc,
    calibration,
    expected_calibration_error,
    fit_sigmoid,
    reliability,
    risk_coverage,
)


def test_sigmoid_by_hand() -> None:
    assert Sigmoid(2.0, -1.0)([0.5, 1.5]).tolist() == pytest.approx([0.5, 1 / (1 + math.exp(-2))])
    assert Sigmoid(1.0, 0.0)([-1e9, 1e9]).tolist() == [0.0, 1.0]


def test_fit_is_the_minimum_of_platts_loss() -> None:
    generator = np.random.default_rng(3)
    scores = generator.normal(1.0, 4.0, 300)
    positive = generator.random(300) < 1 / (1 + np.exp(-(0.7 * scores - 1.0)))
    hits = int(positive.sum())
    target = np.where(positive, (hits + 1) / (hits + 2), 1 / (300 - hits + 2))

    def loss(v):
        z = v[0] * scores + v[1]
        return float((np.logaddexp(0, z) - target * z).sum())

    wanted = minimize(
        loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}
    )
    found = fit_sigmoid(scores.tolist(), positive.tolist())
    assert (found.slope, found.offset) == pytest.approx(tuple(wanted.x), abs=1e-4)
    assert found.slope == pytest.approx(0.7, abs=0.25)


def test_fit_of_two_questions() -> None:
    # targets 2/3 and 1/3 at scores 1 and −1: slope = log 2, offset = 0
    found = fit_sigmoid([1.0, -1.0], [True, False])
    assert found.slope == pytest.approx(math.log(2), abs=1e-6)
    assert found.offset == pytest.approx(0.0, abs=1e-6)


def test_scores_that_separate_wholly_stay_finite() -> None:
    found = fit_sigmoid([-8.0, -9.0, 8.0, 9.0], [False, False, True, True])
    assert 0 < found.slope < 1
    assert math.isfinite(found.offset)


@pytest.mark.parametrize(
    ("scores", "positive"),
    [([], []), ([1.0, 2.0], [True, True]), ([1.0], [False]), ([1.0, math.inf], [True, False])],
)
def test_what_cannot_be_fitted(scores: list[float], positive: list[bool]) -> None:
    with pytest.raises(UsageError):
        fit_sigmoid(scores, positive)


def test_calibration_error_by_hand() -> None:
    # bin .9–1.0: mean .95, all positive → .05 · 2/4; bin .0–.1: mean .05, half → .45 · 2/4
    p, y = [0.95, 0.95, 0.05, 0.05], [True, True, True, False]
    assert expected_calibration_error(p, y) == pytest.approx(0.25)
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert expected_calibration_error([], []) == 0.0
    assert reliability(p, y) == [
        {"questions": 2, "predicted": 0.05, "positive": 0.5},
        {"questions": 2, "predicted": 0.95, "positive": 1.0},
    ]


def test_risk_coverage_by_hand() -> None:
    assert risk_coverage([3.0, 1.0, 2.0], [0.0, 1.0, 0.5]).tolist() == [0.0, 0.25, 0.5]
    assert area_under_risk_coverage([3.0, 1.0, 2.0], [0.0, 1.0, 0.5]) == pytest.approx(0.25)
    # equal scores: each of the two has their mean loss .5
    assert risk_coverage([1.0, 1.0, 0.0], [0.0, 1.0, 1.0]).tolist() == pytest.approx(
        [0.5, 0.5, 2 / 3]
    )
    assert area_under_risk_coverage([], []) == 0.0


def test_area_under_roc_by_hand() -> None:
    # positives 3 and 1, negatives 2 and 1: wins 1 + 1 + 0 + .5 of 4
    assert area_under_roc([3.0, 1.0, 2.0, 1.0], [True, True, False, False]) == 0.625
    assert area_under_roc([1.0, 2.0], [True, True]) == 0.5


pairs = st.lists(st.tuples(st.floats(-20, 20), st.booleans(), st.floats(0, 1)), min_size=1)


@given(pairs)
def test_bounds(rows: list[tuple[float, bool, float]]) -> None:
    scores, positive, losses = ([row[n] for row in rows] for n in range(3))
    area = area_under_risk_coverage(scores, losses)
    best = area_under_risk_coverage([-loss for loss in losses], losses)
    assert best - 1e-9 <= area <= 1 + 1e-9
    assert risk_coverage(scores, losses)[-1] == pytest.approx(np.mean(losses))
    assert 0 <= area_under_roc(scores, positive) <= 1
    probabilities = Sigmoid(1.0, 0.0)(scores)
    assert 0 <= expected_calibration_error(probabilities, positive) <= 1


def test_all_of_it_together() -> None:
    found = calibration([2.0, 1.0], [True, False], [0.0, 1.0], Sigmoid(1.0, 0.0))
    assert (found["auroc"], found["aurc"], found["aurc_best"]) == (1.0, 0.25, 0.25)
    # .8808 in the last bin but one: gap .1192; .7311: gap .7311; halved each
    assert found["ece"] == pytest.approx((0.1192 + 0.7311) / 2, abs=1e-4)
    assert "ece" not in calibration([2.0, 1.0], [True, False], [0.0, 1.0], None)
    only = calibration([2.0, 1.0], [True, True], [0.0, 1.0], Sigmoid(1.0, 0.0))
    assert only["auroc"] is None and "ece" not in only and only["aurc"] == 0.25
