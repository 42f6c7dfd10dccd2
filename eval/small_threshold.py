"""Choosing the score from which the small reader takes words for an answer.

A threshold is chosen on questions that were held out from training and that no figure is reported
on, and it has to serve both with one passage given and with several found. In every setting the
measures of SQuAD 2.0 are computed at each value of a grid; the value with the best mean of the
settings' overall F1 is chosen, the lowest of equals.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.answering.small_reader import SmallReader
from assistant.distillation.spans.measures import Judged, at_threshold
from assistant.errors import UsageError
from assistant.text_overlap import exact_match, f1
from eval.open_book import Finder
from eval.questions import Question
from indexes.progress import OnProgress, Progress

STEP = 0.25
# What is found nowhere scores below every threshold, but stays a number.
_NOTHING = -1e9


@dataclass(frozen=True, slots=True)
class ThresholdReport:
    """Measures by setting and threshold, the best threshold of each setting, and the chosen one."""

    questions: dict[str, int]
    curves: dict[str, dict[float, dict[str, float]]]
    best: dict[str, float]
    chosen: float


def scored(
    reader: SmallReader,
    questions: Sequence[Question],
    find: Finder,
    *,
    stage: str = "answer",
    on_progress: OnProgress = lambda progress: None,
) -> list[Judged]:
    """The best words' score, EM and F1 of every question, whatever the reader's threshold is."""
    found: list[Judged] = []
    started = time.monotonic()
    for number, question in enumerate(questions, start=1):
        pointed = reader.point(question.text, find(question))
        words = pointed[0].words if pointed else ""
        found.append(
            {
                "id": question.id,
                "answerable": question.answerable,
                "found": words,
                "score": pointed[0].score if pointed else _NOTHING,
                "em": exact_match(words, question.answers) if question.answerable else 0.0,
                "f1": f1(words, question.answers) if question.answerable else 0.0,
            }
        )
        seconds = time.monotonic() - started
        on_progress(Progress(stage, number, len(questions), "questions", seconds))
    return found


def choose_threshold(settings: Mapping[str, Sequence[Judged]]) -> ThresholdReport:
    """Sweep the thresholds over all settings and choose one.

    Raises:
        UsageError: no setting, or one without questions with and without an answer.
    """
    for name, judged in settings.items():
        if len({j["answerable"] for j in judged}) < 2:
            raise UsageError(f"{name}: needs questions with and without an answer")
    grid = _grid([j["score"] for judged in settings.values() for j in judged])
    curves = {
        name: {threshold: at_threshold(judged, threshold) for threshold in grid}
        for name, judged in settings.items()
    }
    best = {
        name: max(grid, key=lambda t: (round(curve[t]["f1"], 9), -t))
        for name, curve in curves.items()
    }
    chosen = max(
        grid, key=lambda t: (round(sum(curve[t]["f1"] for curve in curves.values()), 9), -t)
    )
    return ThresholdReport(
        {name: len(judged) for name, judged in settings.items()}, curves, best, chosen
    )


def _grid(scores: Sequence[float]) -> list[float]:
    """Multiples of `STEP` that enclose the scores, ascending."""
    real = [score for score in scores if score > _NOTHING]
    if not real:
        raise UsageError("the reader finds no words in any passage")
    first, last = math.floor(min(real) / STEP), math.ceil(max(real) / STEP) + 1
    return [count * STEP for count in range(first, last + 1)]
