"""Tests of significance against full enumeration and values worked out by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assistant.errors import UsageError
from eval.significance import bootstrap_interval, holm, paired_randomisation

A = [0.9, 0.2, 0.5, 0.7, 0.1, 0.8, 0.4]
B = [0.4, 0.1, 0.6, 0.3, 0.1, 0.5, 0.2]


def exact(a: list[float], b: list[float]) -> float:
    differences = np.subtract(a, b)
    sums = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=len(a))]
    return float(np.mean(np.array(sums) >= abs(differences.sum()) - 1e-12))


def test_near_full_enumeration() -> None:
    wanted = exact(A, B)
    assert 0.02 < wanted < 0.2  # neither end, where anything would do
    reference = stats.permutation_test(
        (A, B), lambda x, y: np.mean(x) - np.mean(y), permutation_type="samples"
    )
    assert reference.pvalue == pytest.approx(wanted)
    # 10,000 rounds: a standard error of at most .005
    assert paired_randomisation(A, B) == pytest.approx(wanted, abs=0.015)
    assert paired_randomisation(B, A) == pytest.approx(wanted, abs=0.015)  # two-sided


def test_equal_systems_and_clear_difference() -> None:
    assert paired_randomisation(A, A) == 1.0
    # All 20 differences are 1: only two of 2^20 flips are as extreme, none is drawn.
    assert paired_randomisation([1.0] * 20, [0.0] * 20, rounds=1500) == 1 / 1501


def test_seed_decides() -> None:
    assert paired_randomisation(A, B, seed=3) == paired_randomisation(A, B, seed=3)
    values = {paired_randomisation(A, B, rounds=200, seed=seed) for seed in range(5)}
    assert len(values) > 1


@pytest.mark.parametrize(
    ("a", "b"), [([1.0], [1.0, 2.0]), ([], []), ([float("nan")], [1.0]), ([1.0], [float("inf")])]
)
def test_what_cannot_be_paired(a: list[float], b: list[float]) -> None:
    with pytest.raises(UsageError):
        paired_randomisation(a, b)


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .04 → ·4 ·3 ·2 ·1 = .04 .06 .06 .04, and never below the one before
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []
    with pytest.raises(UsageError):
        holm([1.2])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_order_and_lies_between(p: list[float]) -> None:
    corrected = holm(p)
    for value, given_ in zip(corrected, p, strict=True):
        assert given_ <= value <= min(1.0, len(p) * given_)
    order = sorted(range(len(p)), key=lambda index: p[index])
    assert [corrected[index] for index in order] == sorted(corrected)


def test_interval_against_the_normal_one() -> None:
    values = np.random.default_rng(5).normal(0.4, 0.2, size=400)
    low, high = bootstrap_interval(values.tolist())
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.003)
    assert high == pytest.approx(values.mean() + half, abs=0.003)
    narrow = bootstrap_interval(values.tolist(), level=0.5)
    assert low < narrow[0] < narrow[1] < high
    assert bootstrap_interval([0.3, 0.3]) == pytest.approx((0.3, 0.3))


def test_interval_of_nothing() -> None:
    with pytest.raises(UsageError):
        bootstrap_interval([])
    with pytest.raises(UsageError):
        bootstrap_interval([1.0], level=1.0)
