"""Tables of an evaluation of distillation: measures with intervals, tests, domains, calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean, median
from typing import Any

from eval.calibration import Sigmoid, calibration
from eval.citations import summarise as summarise_citations
from eval.distillation import SETTINGS, Answer, Run, retention
from eval.distillation_runs import Evaluation
from eval.questions import Question
from eval.reader_memory import Memory
from eval.significance import bootstrap_interval, holm, paired_randomisation
from eval.systems import KNOWLEDGE

BASELINES = ("teacher", "untrained")
# What has no words at all to offer ranks last.
_NO_SCORE = -1e9


def measured(run: Run, questions: Sequence[Question]) -> dict[str, Any]:
    """One system's row: means with their 95 % bootstrap intervals, seconds, citations.

    Every measure is a mean over some of the questions: EM and F1 over those with an answer and over
    all, recall of abstaining over those without, its precision over the abstentions; None where
    there are none.
    """
    answers = [run.answers[q.id] for q in questions if q.id in run.answers]
    answerable = [a for a in answers if a.judged.answerable]
    without = [a for a in answers if not a.judged.answerable]
    abstained = [a for a in answers if a.judged.abstained]
    row: dict[str, Any] = {
        "questions": len(answers),
        "abstained": len(abstained),
        "abstain_recall": _mean([float(a.judged.abstained) for a in without]),
        "abstain_precision": _mean([float(not a.judged.answerable) for a in abstained]),
        "seconds": round(fmean(a.seconds for a in answers), 4),
        "seconds_median": round(median(a.seconds for a in answers), 4),
        "cpu_seconds": round(fmean(a.cpu_seconds for a in answers), 4),
    }
    if run.worded:
        row["citations"] = summarise_citations(
            [a.citations for a in answers], [a.judged.answerable for a in answers]
        )
    else:
        row |= {
            "answerable_em": _mean([a.judged.em for a in answerable]),
            "answerable_f1": _mean([a.judged.f1 for a in answerable]),
            "em": _mean([a.judged.em for a in answers]),
            "f1": _mean([a.judged.f1 for a in answers]),
        }
    return row


def speed(run: Run, teacher: Run) -> dict[str, float | int]:
    """Answers per second relative to the teacher's, on the questions that both answered."""
    common = [name for name in run.answers if name in teacher.answers]

    def ratio(of: Callable[[Answer], float]) -> float:
        own = sum(of(run.answers[name]) for name in common)
        return round(sum(of(teacher.answers[name]) for name in common) / own, 2) if own else 0.0

    return {
        "questions": len(common),
        "times_teacher": ratio(lambda a: a.seconds),
        "times_teacher_cpu": ratio(lambda a: a.cpu_seconds),
    }


def compared(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Every phrase-writing system against teacher and untrained student, on common questions.

    Differences of overall F1 and of answerable F1, tested by paired randomisation; p of one measure
    are corrected for the number of comparisons by Holm's method.
    """
    phrases = [run for run in runs if not run.worded]
    found: list[dict[str, Any]] = []
    for baseline in (run for run in phrases if run.system in BASELINES):
        for run in phrases:
            if run is baseline or (run.system, baseline.system) == ("teacher", "untrained"):
                continue
            if not any(name in baseline.answers for name in run.answers):
                continue
            for measure, wanted in (("f1", False), ("answerable_f1", True)):
                pair = _paired(run, baseline, answerable_only=wanted)
                if pair is not None:
                    row: dict[str, Any] = {
                        "system": run.system,
                        "against": baseline.system,
                        "measure": measure,
                    }
                    found.append({**row, **pair})
    for measure in ("f1", "answerable_f1"):
        own = [row for row in found if row["measure"] == measure]
        for row, p in zip(own, holm([row["p"] for row in own]), strict=True):
            row["p_holm"] = round(p, 5)
    return found


def by_domain(
    runs: Sequence[Run], questions: Sequence[Question]
) -> dict[str, dict[str, dict[str, float | int | None]]]:
    """For each title, largest first, and system: questions, F1, and F1 of those with an answer."""
    titles: dict[str, list[Question]] = {}
    for question in questions:
        titles.setdefault(question.title or "–", []).append(question)
    found: dict[str, dict[str, dict[str, float | int | None]]] = {}
    for title, own in sorted(titles.items(), key=lambda item: (-len(item[1]), item[0])):
        of_title: dict[str, dict[str, float | int | None]] = {}
        for run in (run for run in runs if not run.worded):
            judged = [run.answers[q.id].judged for q in own if q.id in run.answers]
            if not judged:
                continue
            with_answer = [j.f1 for j in judged if j.answerable]
            of_title[run.system] = {
                "questions": len(judged),
                "f1": round(fmean(j.f1 for j in judged), 4),
                "answerable_f1": round(fmean(with_answer), 4) if with_answer else None,
            }
        found[title] = of_title
    return found


def scores_of(run: Run) -> tuple[list[float], list[bool], list[float]] | None:
    """Scores, whether answerable, and losses if it has to answer; None for a system without."""
    answers = list(run.answers.values())
    if not any(a.score is not None for a in answers):
        return None
    return (
        [_NO_SCORE if a.score is None else a.score for a in answers],
        [a.judged.answerable for a in answers],
        [1.0 - a.forced for a in answers],
    )


def calibrated(runs: Sequence[Run], fitted: Mapping[str, Sigmoid]) -> dict[str, dict[str, Any]]:
    """The calibration of every system that has scores; `fitted` by system, on other questions."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        scores = scores_of(run)
        if scores is not None and not run.worded:
            found[run.system] = calibration(*scores, fitted.get(run.system))
    return found


def answers_json(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Every question with the answer of every system in every setting, for reading."""
    return [
        {
            "id": q.id,
            "title": q.title,
            "question": q.text,
            "gold": list(q.answers),
            **{
                setting: {
                    run.system: _answer_json(answer)
                    for run in evaluation.of(setting)
                    if (answer := run.answers.get(q.id)) is not None
                }
                for setting in SETTINGS
            },
        }
        for q in evaluation.questions
    ]


def _answer_json(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = {
        "text": answer.text,
        "em": answer.judged.em,
        "f1": round(answer.judged.f1, 4),
        "seconds": round(answer.seconds, 4),
        "cpu_seconds": round(answer.cpu_seconds, 4),
    }
    if answer.score is not None:
        found |= {"score": round(answer.score, 3), "forced_f1": round(answer.forced, 4)}
    if answer.citations is not None:
        found["citations"] = asdict(answer.citations)
    return found


def _paired(run: Run, baseline: Run, *, answerable_only: bool) -> dict[str, Any] | None:
    names = [
        name
        for name, answer in run.answers.items()
        if name in baseline.answers and (answer.judged.answerable or not answerable_only)
    ]
    if not names:
        return None
    own = [run.answers[name].judged.f1 for name in names]
    other = [baseline.answers[name].judged.f1 for name in names]
    low, high = bootstrap_interval([a - b for a, b in zip(own, other, strict=True)])
    return {
        "questions": len(names),
        "value": round(fmean(own), 4),
        "baseline": round(fmean(other), 4),
        "difference": round(fmean(own) - fmean(other), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "p": round(paired_randomisation(own, other), 5),
    }


def _mean(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    low, high = bootstrap_interval(values)
    return {"mean": round(fmean(values), 4), "low": round(low, 4), "high": round(high, 4)}


def report(evaluation: Evaluation, memory: Mapping[str, Memory] | None = None) -> dict[str, Any]:
    """The documented shape of one file's part of `assistant eval distillation --json`.

    Args:
        memory: of each reader, by system.
    """
    questions = evaluation.questions
    found: dict[str, Any] = {
        "questions": len(questions),
        "answerable": sum(q.answerable for q in questions),
        "settings": {},
    }
    for setting in SETTINGS:
        runs = evaluation.of(setting)
        if not runs:
            continue
        teacher = next((run for run in runs if run.system == "teacher"), None)
        rows = {run.system: measured(run, questions) for run in runs}
        for run in runs:
            if teacher is not None and run is not teacher:
                rows[run.system]["speed"] = speed(run, teacher)
        found["settings"][setting] = {
            "systems": rows,
            "comparisons": compared(runs),
            "domains": by_domain(runs, questions),
            "calibration": calibrated(runs, evaluation.fitted),
        }
    if evaluation.recall:
        found["recall"] = {
            "with knowledge" if knowledge else "passages": values
            for knowledge, values in evaluation.recall.items()
        }
        found["retention"] = _retention(evaluation)
    if memory:
        found["megabytes"] = {
            name: {"peak": round(one.peak, 1), "reader": round(one.reader, 1)}
            for name, one in memory.items()
        }
    return found


def _retention(evaluation: Evaluation) -> dict[str, dict[str, float | int]]:
    oracles = {run.system: run for run in evaluation.of("given") if not run.worded}
    found: dict[str, dict[str, float | int]] = {}
    for run in evaluation.of("retrieved"):
        oracle = oracles.get(run.system.removesuffix(KNOWLEDGE))
        if oracle is not None:
            found[run.system] = retention(evaluation.questions, oracle, run)
    return found
