"""Which of the person's statements matter for a question.

All of them in the query is worse than none (closed iKAT 2023, BM25 nDCG@5 .224 against .264), so
few are chosen: those whose embedding is near the question, leaning on the last answer, or near a
passage that was found for it. Most questions need none.

A statement is data. It is compared, shown and quoted; what it asks for is never done.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexes.encoders import DenseEncoder, FloatArray, of_queries
from indexes.queries import Query
from indexes.ranker import query_vectors

# Passages further down are about other things.
PASSAGES = 5
_REMEMBERED = 2_000  # statements' vectors kept


@dataclass(frozen=True, slots=True)
class Statement:
    """Something the person said about themselves."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class ChosenStatement:
    """A statement that matters: `score` in [-1, 1] is the similarity it was chosen by."""

    id: str
    text: str
    score: float
    reason: str


class StatementSelector:
    """Chooses statements by similarity. Safe to share between threads.

    Args:
        encoder: the embedder of the passages. Statements are compared by that of its queries,
            for which the threshold was chosen.
        threshold: statements below are left out; none may be left.
        most: at most so many, the best.
    """

    def __init__(self, encoder: DenseEncoder, *, threshold: float, most: int) -> None:
        self._encoder = of_queries(encoder)
        self._threshold, self._most = threshold, most
        self._vectors: dict[str, FloatArray] = {}
        self._lock = threading.Lock()

    def select(
        self, statements: Sequence[Statement], query: Query, passages: Sequence[str] = ()
    ) -> tuple[ChosenStatement, ...]:
        """The statements that matter for `query`, best first; often none.

        Args:
            passages: texts of the passages found for it, best first; the first five count.
        """
        if not statements or not self._most:
            return ()
        known = self._encoded([statement.text for statement in statements])
        near_question = known @ query_vectors([query], self._encoder)[0]
        near_passages = np.full(len(statements), -1.0)
        if read := list(passages[:PASSAGES]):
            near_passages = (known @ self._encoder.encode(read).T).max(axis=1)
        scores = np.maximum(near_question, near_passages)
        order = np.argsort(-scores, kind="stable")[: self._most]
        return tuple(
            ChosenStatement(
                statements[place].id,
                statements[place].text,
                round(float(scores[place]), 4),
                "it is near the question"
                if near_question[place] >= near_passages[place]
                else "it is near a passage that was found",
            )
            for place in order
            if scores[place] >= self._threshold
        )

    def nearness(self, chosen: Sequence[ChosenStatement], passages: Sequence[str]) -> FloatArray:
        """How near each passage is to the chosen statements, in [0, 1]; shape (len(passages),).

        Stands for p(knowledge | person): the softmax-free similarity to the nearest statement.
        """
        if not chosen or not passages:
            return np.zeros(len(passages), dtype=np.float32)
        known = self._encoded([statement.text for statement in chosen])
        near = (self._encoder.encode(list(passages)) @ known.T).max(axis=1)
        return np.asarray(np.clip(near, 0.0, 1.0), dtype=np.float32)

    def _encoded(self, texts: Sequence[str]) -> FloatArray:
        with self._lock:
            if len(self._vectors) > _REMEMBERED:
                self._vectors.clear()
            new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
            if new:
                self._vectors.update(zip(new, self._encoder.encode(new), strict=True))
            return np.stack([self._vectors[text] for text in texts])
