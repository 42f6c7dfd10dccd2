"""Answers of an earlier evaluation, so that a language model need not write them again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from eval.citations import CitationsJudged
from eval.distillation import Answer, Setting
from eval.questions import Question
from eval.squad import judge

Earlier = Mapping[tuple[str, Setting], Mapping[str, Answer]]


def load_earlier(path: Path, file: str, questions: Sequence[Question]) -> Earlier:
    """The answers that a report (`assistant eval distillation --out`) holds, judged anew.

    Args:
        file: the name of the rows' file; answers to others are left out.
        questions: an answer counts only for the question, by id, that has the same text.

    Raises:
        UsageError: the file cannot be read or is no such report.
    """
    asked = {question.id: question for question in questions}
    found: dict[tuple[str, Setting], dict[str, Answer]] = {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["answers"].get(file, [])
        for row in rows:
            question = asked.get(row["id"])
            if question is None or question.text != row["question"]:
                continue
            settings: tuple[Setting, ...] = ("given", "retrieved")
            for setting in settings:
                for system, answer in row[setting].items():
                    own = found.setdefault((system, setting), {})
                    own[question.id] = _answer(answer, question)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is no report with answers ({type(error).__name__}: {error})",
            remedy="give a file that --out wrote",
        ) from error
    return found


def _answer(row: Mapping[str, Any], question: Question) -> Answer:
    citations = row.get("citations")
    score = row.get("score")
    return Answer(
        text=row["text"],
        seconds=float(row["seconds"]),
        cpu_seconds=float(row["cpu_seconds"]),
        judged=judge(row["text"], question.answers, answerable=question.answerable),
        score=None if score is None else float(score),
        forced=float(row.get("forced_f1", 0.0)),
        citations=CitationsJudged(**citations) if citations else None,
    )
