"""Passages that an index's own search brings for a question and that do not answer it."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from assistant.adapting.questions import Question
from assistant.knowledge.entries import normal
from indexes.documents import Passage
from indexes.fusion import min_max
from indexes.index import Index
from indexes.queries import Query
from indexes.refining.folding import jaccard, shingles

_DEPTH = 40  # of each retriever's list that is looked at
# A passage that shares so much with the one that answers may answer, too.
_ALIKE = 0.5
# How far above the best negative's fused score the passage that answers is put.
_MARGIN = 0.2


class Miner:
    """Makes lines of the data source `ranking` (docs/retrieval-models.md).

    Args:
        weights: of the fusion, by stage; a stage with weight 0 is not asked.
        barred: ids of passages that must not be seen in training: those of the other sides of the
            split.
    """

    def __init__(
        self, index: Index, weights: Mapping[str, float], barred: Collection[str], *, seed: int
    ) -> None:
        self._index, self._weights, self._barred = index, weights, barred
        self._stages = [stage for stage, weight in weights.items() if weight > 0]
        self._seed = seed

    def training(self, question: Question, count: int) -> dict[str, Any] | None:
        """A line with up to `count` negatives; None where none was found.

        The retrievers take turns, the best of each first, and every list is gone on with after
        what was taken of it.
        """
        rankings, fused = self._ranked(question)
        order = [ranking.rows.tolist() for ranking in rankings.values()]
        passages = self._by_row(sorted({row for rows in order for row in rows}))
        draw = random.Random(f"{self._seed}\0{question.id}")
        draw.shuffle(order)  # otherwise the first retriever would give most where few are wanted
        chosen: dict[str, float] = {}  # a text that stands in two passages counts once
        fits = {row for row, one in passages.items() if self._does_not_answer(question, one)}
        for row in self._turns(order, fits):
            chosen.setdefault(passages[row].indexed_text, fused.get(row, 0.0))
            if len(chosen) == count:
                break
        if not chosen:
            return None
        scores = [max(chosen.values()) + _MARGIN, *chosen.values()]
        return _line(question, question.positive, list(chosen), scores)

    def choosing(self, question: Question, depth: int) -> dict[str, Any] | None:
        """The first `depth` of the fused list with their scores, as a reranker is given them.

        None where the passage that answers is not among them: no reranker can change that.
        """
        _, fused = self._ranked(question)
        first = sorted(fused, key=lambda row: (-fused[row], row))[:depth]
        passages = self._by_row(first)
        own = [row for row in first if passages[row].id == question.passage_id]
        others = [row for row in first if row not in own]
        if not own or not others:
            return None
        texts = list(dict.fromkeys(passages[row].indexed_text for row in others))
        if passages[own[0]].indexed_text in texts or len(texts) < len(others):
            return None  # two rows of one text: which of them is right cannot be told
        scores = [fused[row] for row in (*own, *others)]
        return _line(question, passages[own[0]].indexed_text, texts, scores)

    def _ranked(self, question: Question) -> tuple[Mapping[str, Any], dict[int, float]]:
        (rankings,), _ = self._index.rank([Query(question.text)], _DEPTH, self._stages)
        return rankings, min_max(rankings, self._weights)

    def _by_row(self, rows: Sequence[int]) -> dict[int, Passage]:
        return dict(zip(rows, self._index.store.by_rows(rows), strict=True)) if rows else {}

    def _does_not_answer(self, question: Question, passage: Passage) -> bool:
        if passage.id == question.passage_id or passage.id in self._barred:
            return False
        text = f" {normal(passage.indexed_text)} "
        if any(found and f" {found} " in text for found in map(normal, question.answers)):
            return False
        return jaccard(shingles(passage.indexed_text), shingles(question.positive)) < _ALIKE

    @staticmethod
    def _turns(order: Sequence[Sequence[int]], fits: Collection[int]) -> Iterator[int]:
        """Rows that fit, one of each list by turns, each once."""
        lists = [[row for row in rows if row in fits] for rows in order]
        seen: set[int] = set()
        while any(lists):
            for rows in lists:
                while rows and rows[0] in seen:
                    rows.pop(0)
                if rows:
                    seen.add(rows[0])
                    yield rows.pop(0)


def _line(
    question: Question, positive: str, negatives: Sequence[str], scores: Sequence[float]
) -> dict[str, Any]:
    rounded = [round(score, 4) for score in scores]
    return {
        "id": question.id,
        "query": question.text,
        "positive": [positive],
        "negatives": list(negatives),
        "scores": rounded,
        "fused": rounded,
        "origin": "cloze" if question.origin == "cloze" else "teacher",
    }
