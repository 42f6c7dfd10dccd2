"""SQuAD's measures against values worked out by hand."""

from __future__ import annotations

import pytest

from eval.squad import exact_match, f1, judge, normalise, summarise


def test_normalisation() -> None:
    assert normalise("The  Eiffel-Tower, a landmark!") == "eiffeltower landmark"


def test_best_gold_answer_counts() -> None:
    assert exact_match("the Tower", ["a tower", "mast"]) == 1.0
    # 2 of 3 found words are wanted, 2 of 2 wanted words are found: 2·(2/3)·1 / (2/3 + 1) = .8
    assert f1("tall iron tower", ["iron tower", "mast"]) == pytest.approx(0.8)


def test_empty_after_normalisation() -> None:
    assert f1("the", ["a"]) == 1.0
    assert f1("the", ["tower"]) == 0.0


def test_summary_by_hand() -> None:
    outcomes = [
        judge("1889", ["1889"], answerable=True),
        judge(None, ["1889"], answerable=True),
        judge(None, [], answerable=False),
        judge("nonsense", [], answerable=False),
    ]
    assert summarise(outcomes) == {
        "EM": 0.5,
        "F1": 0.5,
        "HasAns_EM": 0.5,
        "HasAns_F1": 0.5,
        "NoAns_F1": 0.5,
        "abstain_precision": 0.5,
        "abstain_recall": 0.5,
    }


def test_nothing_to_summarise() -> None:
    assert set(summarise([]).values()) == {0.0}
