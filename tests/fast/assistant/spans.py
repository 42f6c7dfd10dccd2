"""A span source that points where a test tells it to."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.distillation.spans.asking import Asked, Span


class TellingSpans:
    """Points at words of passages, with the scores it was told; counts how often it was asked.

    Args:
        words: score by words; passages that hold none of them get no span.
    """

    def __init__(self, words: dict[str, float]) -> None:
        self.words, self.calls, self.asked = words, 0, []

    def find(
        self, asked: Sequence[Asked], *, n_best: int = 1, batch_tokens: int = 4096
    ) -> list[list[Span]]:
        self.calls += 1
        self.asked = list(asked)
        return [self._of(one.passage)[:n_best] for one in asked]

    def _of(self, passage: str) -> list[Span]:
        found = [
            Span(at, at + len(words), score)
            for words, score in self.words.items()
            if (at := passage.find(words)) >= 0
        ]
        return sorted(found, key=lambda span: -span.score)
