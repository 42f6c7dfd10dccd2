"""From questions to the files that the recipes read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from assistant.adapting.judging import Role
from assistant.adapting.negatives import Miner
from assistant.adapting.questions import Question, Split
from assistant.adapting.recipes import NEGATIVES
from assistant.adapting.work import WorkFolder
from indexes.index import Index
from indexes.progress import OnProgress, Progress

Row = dict[str, Any]


def make_material(
    index: Index,
    weights: Mapping[str, float],
    sides: Mapping[Split, Sequence[Question]],
    role: Role,
    work: WorkFolder,
    *,
    depth: int,
    seed: int,
    on_progress: OnProgress,
) -> int:
    """Write a part's files into the working folder, unless they are there.

    Args:
        weights: of the fusion.
        depth: how many passages a reranker is given.

    Returns:
        how many examples there are to train on; 0 where training or choosing has none.
    """
    noted = f"{role}_examples"
    if noted in (plan := work.plan):
        return int(plan[noted])
    if role == "embedder":
        work.write_lines("pairs.jsonl", map(_pair, sides["train"]))
        work.write_lines("choose-pairs.jsonl", map(_pair, sides["choose"]))
        count = len(sides["train"])
    else:
        barred = {one.passage_id for side in ("choose", "held-out") for one in sides[side]}
        miner = Miner(index, weights, barred, seed=seed)
        rows = _mined(sides["train"], lambda one: miner.training(one, NEGATIVES), on_progress)
        chosen = _mined(sides["choose"], lambda one: miner.choosing(one, depth), on_progress)
        training, choosing = list(rows), list(chosen)
        work.write_lines("ranking.jsonl", training)
        work.write_lines("choose-ranking.jsonl", choosing)
        count = len(training) if choosing else 0
    work.decide(**{noted: count})
    return count


def _pair(question: Question) -> Row:
    return {"question": question.text, "passage": question.positive}


def _mined(
    questions: Sequence[Question], line: Callable[[Question], Row | None], on_progress: OnProgress
) -> Iterator[Row]:
    started = time.monotonic()
    for number, one in enumerate(questions, start=1):
        if (row := line(one)) is not None:
            yield row
        seconds = time.monotonic() - started
        left = seconds / number * (len(questions) - number)
        on_progress(Progress("mine", number, len(questions), "questions", seconds, left))
