"""Measures against values worked out by hand."""

from __future__ import annotations

from math import log2
from pathlib import Path

import pytest

from assistant.errors import UsageError
from eval.ikat.judgements import read_trec_qrels
from eval.ikat.runs import IkatRun, RunTurn
from eval.ikat.scoring import MEASURES, compare, score_run
from eval.measures import by_query, ranking

QRELS = {"3_1": {"a": 4, "b": 2, "c": 1, "d": 0}, "3_2": {"a": 1}, "3_10": {"e": 3}}


def run(turns: dict[str, dict[str, float]], name: str = "some") -> IkatRun:
    made = {turn: RunTurn(turn, passages) for turn, passages in turns.items()}
    return IkatRun(name, "", None, made)


FOUND = run({"3_1": {"x": 9, "c": 8, "a": 7, "d": 6, "b": 5}, "3_2": {"a": 1}, "9_9": {"a": 1}})


def test_by_hand() -> None:
    report = score_run(FOUND, QRELS)
    assert (report.judged, report.in_run, report.absent, report.unjudged) == (3, 3, 1, 1)
    assert list(report.by_turn) == ["3_1", "3_2", "3_10"]  # a person's order
    first = report.by_turn["3_1"]
    # ranking x c a d b, grades 0 1 4 0 2; best order 4 2 1 0
    best = 4 + 2 / log2(3) + 1 / log2(4)
    assert first["nDCG@3"] == pytest.approx((1 / log2(3) + 4 / log2(4)) / best)
    found = 1 / log2(3) + 4 / log2(4) + 2 / log2(6)
    assert first["nDCG@5"] == pytest.approx(found / best)
    # relevant from 2: a at rank 3, b at rank 5
    assert first["P@5"] == pytest.approx(2 / 5)
    assert first["R@100"] == first["R@1000"] == 1.0
    assert first["AP"] == pytest.approx((1 / 3 + 2 / 5) / 2)
    assert first["RR"] == first["RR@10"] == pytest.approx(1 / 3)
    # 3_2 has no passage of grade 2: 0, but its nDCG is there; 3_10 is missing: 0
    assert report.by_turn["3_2"]["RR"] == 0.0
    assert report.by_turn["3_2"]["nDCG@5"] == 1.0
    assert set(report.by_turn["3_10"].values()) == {0.0}
    assert report.measures["RR"] == pytest.approx(1 / 9)
    assert report.measures["nDCG@5"] == pytest.approx((found / best + 1) / 3)


def test_missing_turns_can_be_left_out() -> None:
    report = score_run(FOUND, QRELS, missing="skip")
    assert list(report.by_turn) == ["3_1", "3_2"]
    assert report.absent == 1
    assert report.measures["RR"] == pytest.approx(1 / 6)


@pytest.mark.parametrize(("grade", "rr", "recall"), [(1, 1 / 2, 1), (2, 1 / 3, 1), (3, 1 / 3, 1)])
def test_threshold(grade: int, rr: float, recall: float) -> None:
    values = score_run(FOUND, QRELS, relevant_from=grade).by_turn["3_1"]
    assert values["RR"] == pytest.approx(rr)
    assert values["R@100"] == recall
    assert values["P@5"] == pytest.approx({1: 3, 2: 2, 3: 1}[grade] / 5)


def test_rank_is_by_score_not_by_place_and_depth_counts() -> None:
    low = {f"x{n:02}": 1.0 + n for n in range(12)}
    turn = score_run(run({"3_1": {"a": 0.5, **low}}), QRELS).by_turn["3_1"]
    assert turn["RR"] == pytest.approx(1 / 13)
    assert turn["RR@10"] == 0.0


def test_ties_go_by_id_descending_in_every_measure() -> None:
    qrels = {"3_1": {"b": 4}}
    for passages in ({"a": 1.0, "b": 1.0}, {"b": 1.0, "a": 1.0}):
        assert ranking(passages) == ["b", "a"]
        assert set(score_run(run({"3_1": passages}), qrels).by_turn["3_1"].values()) == {1.0, 0.2}
    last = score_run(run({"3_1": {"b": 1.0, "c": 1.0}}), qrels).by_turn["3_1"]
    assert last["RR"] == last["RR@10"] == last["AP"] == 0.5


def test_empty_ranking_counts_zero() -> None:
    report = score_run(run({"3_1": {}, "3_2": {"a": 1}}), QRELS, missing="skip")
    assert set(report.by_turn["3_1"].values()) == {0.0}
    assert by_query({}, QRELS, ["AP"]) == {"AP": {"3_1": 0.0, "3_2": 0.0, "3_10": 0.0}}


def test_what_cannot_be_scored() -> None:
    with pytest.raises(UsageError, match="no turn of run some is judged") as raised:
        score_run(run({"1_1": {"a": 1}}), QRELS)
    assert "'3_1'" in raised.value.remedy
    with pytest.raises(UsageError, match="relevant-from is 1 to 4, not 5"):
        score_run(FOUND, QRELS, relevant_from=5)
    with pytest.raises(UsageError, match="unknown way to count missing turns 'null'"):
        score_run(FOUND, QRELS, missing="null")


def test_comparison() -> None:
    turns = [f"3_{n}" for n in range(1, 13)]
    qrels = {turn: {"a": 4} for turn in turns}
    best = score_run(run({turn: {"a": 1} for turn in turns}, "best"), qrels)
    worst = score_run(run({turn: {"x": 1} for turn in turns}, "worst"), qrels)
    half = score_run(run({t: {"a" if n % 2 else "x": 1} for n, t in enumerate(turns)}), qrels)
    compared = compare([best, worst, best, half], "RR", rounds=999)
    assert [c.run for c in compared] == ["worst", "best", "some"]
    assert [c.difference for c in compared] == [-1.0, 0.0, -0.5]
    assert compared[0].p <= 0.004  # 2 of 2^12 flips are as extreme
    assert compared[0].p_holm == pytest.approx(3 * compared[0].p)
    assert compared[1].p == compared[1].p_holm == 1.0
    assert compared[2].p == pytest.approx(2 / 64, abs=0.02)
    assert all(c.turns == 12 for c in compared)
    with pytest.raises(UsageError, match="unknown measure 'nDCG@7'"):
        compare([best, worst], "nDCG@7")


def test_comparison_pairs_the_same_turns() -> None:
    first = score_run(run({"3_1": {"a": 1}, "3_2": {"a": 1}}, "first"), QRELS, missing="skip")
    second = score_run(run({"3_2": {"a": 1}, "3_10": {"e": 1}}), QRELS, missing="skip")
    (compared,) = compare([first, second])
    assert (compared.turns, compared.difference) == (1, 0.0)
    third = score_run(run({"3_10": {"e": 1}}), QRELS, missing="skip")
    with pytest.raises(UsageError, match="no judged turn in common"):
        compare([first, third])


def test_interval_holds_the_mean() -> None:
    report = score_run(FOUND, QRELS)
    for measure in MEASURES:
        low, high = report.interval(measure)
        assert low <= report.measures[measure] <= high


def test_qrels(tmp_path: Path) -> None:
    path = tmp_path / "some.qrels"
    path.write_text("3_1 0 a 4\n3_1\t0\tb\t0\n\n3_2 0 a 1\n", encoding="utf-8")
    assert read_trec_qrels(path) == {"3_1": {"a": 4, "b": 0}, "3_2": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3_1 0 a 1\n3_1 0 a 2\n", "line 2, turn 3_1: passage a is judged twice"),
        ("3_1 0 a 5\n", "line 1, turn 3_1: grade 5 is not"),
        ("3_1 0 a -1\n", "line 1, turn 3_1: grade -1 is not"),
        ("3_1 0 a 1.0\n", "line 1, turn 3_1: grade 1.0 is not"),
        ("3_1 0 a 1\n3_1 a 1\n", "line 2: expected turn 0 passage grade, found 3 columns"),
        ("", "judges nothing"),
    ],
)
def test_broken_qrels(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "some.qrels"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_trec_qrels(path)
    assert message in raised.value.message
    assert "some.qrels" in raised.value.message
