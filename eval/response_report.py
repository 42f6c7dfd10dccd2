"""Means, tables by kind of task, and the JSON form of an evaluation of responses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from assistant.answering.support import SUPPORT_THRESHOLD
from eval.judging import Opinion
from eval.response_tasks import ANSWERABLE, PARTIAL, UNANSWERABLE
from eval.responses import MEASURES, OUTCOMES, MeasuredResponse
from eval.significance import bootstrap_interval

# An answer is expected of these, so abstaining is wrong. UNDERSPECIFIED and CONVERSATIONAL tasks
# want neither an answer nor an abstention (asking back, small talk): they are left out.
_ANSWER_EXPECTED = (ANSWERABLE, PARTIAL)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over `tasks` tasks with its 95 % bootstrap interval; None where there are none."""

    mean: float | None
    low: float | None
    high: float | None
    tasks: int


@dataclass(frozen=True, slots=True)
class Abstention:
    """How well it abstains; the positive class is abstaining, on UNANSWERABLE tasks.

    Precision, recall and F1 are None where they have no meaning (nothing to divide by).
    """

    precision: float | None
    recall: float | None
    f1: float | None
    abstained: int
    unanswerable: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Group:
    """The tasks of one kind: how they ended (shares), and the mean of each measure."""

    tasks: int
    outcomes: dict[str, float]
    measures: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class ResponsesReport:
    """Everything about one run; `by_…` maps a label to its group, the largest first."""

    tasks: int
    reader: str
    ways: dict[str, int]
    fallbacks: int
    outcomes: dict[str, int]
    measures: dict[str, Mean]
    abstention: Abstention
    by_answerability: dict[str, Group]
    by_question_type: dict[str, Group]
    seconds_per_task: float


def summarise(measured: Sequence[MeasuredResponse]) -> ResponsesReport:
    """The report of measured responses, at least one."""
    responses = [m.response for m in measured]
    ways = [response.way for response in responses if response.way]
    readers = {r.reader for r in responses if r.outcome in ("answered", "abstained")}
    return ResponsesReport(
        tasks=len(measured),
        reader=", ".join(sorted(readers)),
        ways={way: ways.count(way) for way in sorted(set(ways))},
        fallbacks=sum(response.fallback for response in responses),
        outcomes={name: sum(r.outcome == name for r in responses) for name in OUTCOMES},
        measures={name: _mean(m.values[name] for m in measured) for name in MEASURES},
        abstention=abstention(measured),
        by_answerability=_groups((m.response.task.answerability, m) for m in measured),
        by_question_type=_groups(
            (kind, m) for m in measured for kind in m.response.task.question_types
        ),
        seconds_per_task=round(fmean(response.seconds for response in responses), 3),
    )


def abstention(measured: Iterable[MeasuredResponse]) -> Abstention:
    """Abstaining against the labels; PARTIAL counts as answerable."""
    counted = [
        (m.response.outcome == "abstained", m.response.task.answerability == UNANSWERABLE)
        for m in measured
        if m.response.task.answerability in (*_ANSWER_EXPECTED, UNANSWERABLE)
    ]
    abstained = sum(did for did, _ in counted)
    unanswerable = sum(should for _, should in counted)
    right = sum(did and should for did, should in counted)
    return Abstention(
        precision=_share(right, abstained),
        recall=_share(right, unanswerable),
        f1=_share(2 * right, abstained + unanswerable),
        abstained=abstained,
        unanswerable=unanswerable,
        tasks=len(counted),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _mean(values: Iterable[float | None]) -> Mean:
    known = [value for value in values if value is not None]
    if not known:
        return Mean(None, None, None, 0)
    low, high = bootstrap_interval(known)
    return Mean(round(fmean(known), 4), round(low, 4), round(high, 4), len(known))


def _groups(labelled: Iterable[tuple[str, MeasuredResponse]]) -> dict[str, Group]:
    members: dict[str, list[MeasuredResponse]] = {}
    for label, one in labelled:
        members.setdefault(label, []).append(one)
    ordered = sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    return {label: _group(found) for label, found in ordered}


def _group(members: Sequence[MeasuredResponse]) -> Group:
    outcomes = [m.response.outcome for m in members]
    measures: dict[str, float | None] = {}
    for name in MEASURES:
        known = [value for m in members if (value := m.values[name]) is not None]
        measures[name] = round(fmean(known), 4) if known else None
    return Group(
        tasks=len(members),
        outcomes={name: round(outcomes.count(name) / len(outcomes), 4) for name in OUTCOMES},
        measures=measures,
    )


def opinion_json(opinion: Opinion) -> dict[str, Any]:
    """The judge's mean grades, with what they are."""
    grades = list(opinion.grades.values())
    return {
        "what": "a language model's opinion, not a measure",
        "model": opinion.model,
        "judged": len(grades),
        "unusable": opinion.unusable,
        "faithful": round(fmean(g.faithful for g in grades), 4) if grades else None,
        "complete": round(fmean(g.complete for g in grades), 4) if grades else None,
    }


def report_json(
    report: ResponsesReport,
    measured: Sequence[MeasuredResponse],
    opinion: Opinion | None,
) -> dict[str, Any]:
    """The documented shape of `assistant eval responses --json` (docs/responses.md)."""
    return {
        "tasks": report.tasks,
        "reader": report.reader,
        "understood_by": report.ways,
        "fallbacks": report.fallbacks,
        "outcomes": report.outcomes,
        "measures": report.measures,
        "support_threshold": SUPPORT_THRESHOLD,
        "abstention": report.abstention,
        "by_answerability": report.by_answerability,
        "by_question_type": report.by_question_type,
        "seconds_per_task": report.seconds_per_task,
        "judge": opinion_json(opinion) if opinion else None,
        "by_task": {m.response.task.id: _task_json(m, opinion) for m in measured},
    }


def _task_json(measured: MeasuredResponse, opinion: Opinion | None) -> dict[str, Any]:
    response = measured.response
    grades = opinion.grades.get(response.task.id) if opinion else None
    return {
        "outcome": response.outcome,
        "answerability": response.task.answerability,
        "response": response.text,
        "cited": sorted(response.cited),
        "measures": {
            name: None if value is None else round(value, 4)
            for name, value in measured.values.items()
        },
        "seconds": round(response.seconds, 3),
        "error": response.error,
        "grades": grades.model_dump() if grades else None,
    }
