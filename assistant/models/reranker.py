"""The reranker that is part of the program: a cross-encoder that was distilled for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.models.importing import LOADING
from indexes.documents import Passage
from indexes.encoders import FloatArray

if TYPE_CHECKING:
    from assistant.distillation.ranking.scorer import PairScorer

# Share of the candidates that is read to the last layer.
KEPT = 0.4


class DistilledReranker:
    """A `Reranker` over an exported cross-encoder; the weights are loaded at the first query.

    Args:
        export: says where the export is.
        base: says where the model is that it builds on.
        kept: share of the candidates that goes on after an early exit.
    """

    def __init__(
        self, export: Callable[[], Path], base: Callable[[], Path], *, kept: float = KEPT
    ) -> None:
        self._export, self._base, self._kept = export, base, kept
        self._scorer: PairScorer | None = None
        self._lock = threading.Lock()

    def scores(self, query: str, passages: Sequence[Passage]) -> FloatArray:
        """One number for each passage, (N,); higher is better.

        Raises:
            ModelMissingError: the weights, or those that they build on, are not installed.
            ModelCorruptError: they cannot be loaded, or do not belong together.
        """
        with self._lock:  # a fast tokenizer cannot be used by two threads at once
            if self._scorer is None:
                with LOADING:
                    from assistant.distillation.ranking.scorer import PairScorer

                    export, base = self._export(), self._base()
                    self._scorer = PairScorer.load(export, base=base, kept=self._kept)
            return self._scorer.scores(query, [passage.indexed_text for passage in passages])
