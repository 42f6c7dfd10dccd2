"""Means and tables of measured responses, worked out by hand."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from eval.judging import Grades, Opinion
from eval.response_report import Abstention, abstention, opinion_json, report_json, summarise
from eval.response_tasks import ResponseTask
from eval.responses import MEASURES, MeasuredResponse, Response


def measured(
    identity: str,
    label: str,
    outcome: str,
    value: float | None = 0.5,
    kinds: tuple[str, ...] = ("Factoid",),
    seconds: float = 1.0,
) -> MeasuredResponse:
    task = ResponseTask(identity, "text", (), label, kinds, (), ("reference",), ())
    reader = "assistant" if outcome == "replied" else "extractive"
    response = Response(task, outcome, "said", (), (), "rules", False, reader, seconds)
    return MeasuredResponse(response, dict.fromkeys(MEASURES, value))


ALL = [
    measured("1", "ANSWERABLE", "answered", 1.0),
    measured("2", "ANSWERABLE", "abstained", 0.0, seconds=2.0),
    measured("3", "PARTIAL", "abstained", None, kinds=("Factoid", "Opinion")),
    measured("4", "UNANSWERABLE", "abstained", 0.5),
    measured("5", "UNANSWERABLE", "answered", 0.5),
    measured("6", "UNANSWERABLE", "replied", 0.5),
    measured("7", "UNANSWERABLE", "failed", 0.0, kinds=()),
    measured("8", "UNDERSPECIFIED", "abstained", 0.5),
    measured("9", "CONVERSATIONAL", "abstained", 0.5),
]


def test_abstention_by_hand() -> None:
    """Three abstain of those that count, one rightly; four are unanswerable."""
    assert abstention(ALL) == Abstention(
        precision=0.3333, recall=0.25, f1=round(2 / 7, 4), abstained=3, unanswerable=4, tasks=7
    )


def test_abstention_without_a_meaning_has_no_value() -> None:
    found = abstention(ALL[:1])
    assert (found.precision, found.recall, found.f1) == (None, None, None)
    found = abstention([ALL[4]])
    assert (found.precision, found.recall, found.f1) == (None, 0.0, 0.0)


def test_means_leave_out_what_has_no_value() -> None:
    report = summarise(ALL)
    mean = report.measures["rouge_l"]
    assert (mean.tasks, mean.mean) == (8, 0.4375)
    assert mean.low < mean.mean < mean.high
    assert report.seconds_per_task == pytest.approx(10 / 9, abs=1e-3)
    assert report.outcomes == {"answered": 2, "abstained": 5, "replied": 1, "failed": 1}
    assert (report.reader, report.ways, report.fallbacks) == ("extractive", {"rules": 9}, 0)
    nothing = summarise([ALL[2]]).measures["similarity"]
    assert (nothing.mean, nothing.low, nothing.high, nothing.tasks) == (None, None, None, 0)


def test_tables_by_kind() -> None:
    report = summarise(ALL)
    assert list(report.by_answerability) == [
        "UNANSWERABLE",
        "ANSWERABLE",
        "CONVERSATIONAL",
        "PARTIAL",
        "UNDERSPECIFIED",
    ]
    answerable = report.by_answerability["ANSWERABLE"]
    assert (answerable.tasks, answerable.measures["rouge_l"]) == (2, 0.5)
    assert answerable.outcomes == {"answered": 0.5, "abstained": 0.5, "replied": 0.0, "failed": 0.0}
    assert report.by_answerability["PARTIAL"].measures["rouge_l"] is None
    # a task counts in each of its types, and in none if it has none
    assert {kind: group.tasks for kind, group in report.by_question_type.items()} == {
        "Factoid": 8,
        "Opinion": 1,
    }


def test_json_shape() -> None:
    opinion = Opinion("some-model", {"1": Grades(faithful=5, complete=2)}, unusable=1)
    found = json.loads(json.dumps(report_json(summarise(ALL), ALL, opinion), default=asdict))
    assert set(found) == {
        "tasks",
        "reader",
        "understood_by",
        "fallbacks",
        "outcomes",
        "measures",
        "support_threshold",
        "abstention",
        "by_answerability",
        "by_question_type",
        "seconds_per_task",
        "judge",
        "by_task",
    }
    assert set(found["measures"]["rouge_l"]) == {"mean", "low", "high", "tasks"}
    assert found["by_task"]["1"]["grades"] == {"faithful": 5, "complete": 2}
    assert found["by_task"]["2"]["grades"] is None
    assert found["by_task"]["3"]["measures"]["rouge_l"] is None
    assert "not a measure" in found["judge"]["what"]
    assert (found["judge"]["judged"], found["judge"]["unusable"]) == (1, 1)
    assert report_json(summarise(ALL), ALL, None)["judge"] is None


def test_opinion_without_grades() -> None:
    found = opinion_json(Opinion("m", {}, 3))
    assert (found["judged"], found["unusable"], found["faithful"]) == (0, 3, None)
