"""What the family `pair` of `benchmarks.distilling` learns from: candidates that are scored."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.distillation.mining import Corpus, mine, write
from assistant.distillation.ranking.scorer import PairScorer
from assistant.distillation.retrieval import Searcher
from assistant.models.shipped import RERANKER, shipped
from benchmarks.distilling_reader import installed, write_whole

_QUESTIONS, _NEGATIVES = 800, 4
_ASKED, _CANDIDATES = 150, 10  # of the held-out questions


def write_candidates(
    train: Path, held_out: Path, reranker: Path, to_train: Path, to_held_out: Path
) -> None:
    """The shipped reranker's folder, and questions with candidates, unless they are there.

    Candidates are MiniLM's and BM25's. Those to train on have hard negatives, and the reranker's
    scores in place of the fused ones; the held-out ones are the first of the fused list.

    Args:
        train, held_out: questions in the form of SQuAD.
        reranker, to_train, to_held_out: where they are put.

    Raises:
        ModelMissingError: MiniLM is not installed.
    """
    minilm = installed("minilm")
    if not reranker.is_dir():
        write_whole(shipped(RERANKER), minilm, reranker)
    if to_train.is_file() and to_held_out.is_file():
        return
    draw = random.Random(0)
    corpus = Corpus()
    corpus.read(train)
    asked = draw.sample(corpus.asked, min(_QUESTIONS, len(corpus.asked)))
    searcher = Searcher.over(corpus.passages, minilm)
    teacher = PairScorer.load(shipped(RERANKER), base=minilm, kept=1.0, half=False)
    mined = mine(corpus, asked, searcher, count=_NEGATIVES)
    _write(_scored(mined, teacher), to_train)

    corpus.asked = []
    corpus.read(held_out)
    asked = draw.sample(corpus.asked, min(_ASKED, len(corpus.asked)))
    searcher = searcher.extended(corpus.passages)
    found = mine(corpus, asked, searcher, count=_CANDIDATES - 1, evaluation=True)
    _write(found, to_held_out)


def _write(lines: Iterator[dict[str, Any]], file: Path) -> None:
    partial = file.with_suffix(".partial")
    write(lines, partial)
    partial.rename(file)


def _scored(lines: Iterator[dict[str, Any]], teacher: PairScorer) -> Iterator[dict[str, Any]]:
    for line in lines:
        texts = [*line["positive"], *line["negatives"]]
        scores = teacher.scores(line["query"], texts).tolist()
        yield {**line, "scores": [round(value, 4) for value in scores]}
