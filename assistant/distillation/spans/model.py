"""A span model that is loaded and asked, without anything of training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant.distillation.exported import load_exported
from assistant.distillation.modes import evaluating, forward_tokens
from assistant.distillation.spans.asking import Asked, Span
from assistant.distillation.spans.decoding import best_spans
from assistant.distillation.spans.windows import (
    DEFAULT_LAYOUT,
    WindowOptions,
    Windows,
    make_windows,
)
from indexes.encoders.batching import batches
from indexes.encoders.cpu_layers import fuse


class SpanModel:
    """An encoder with start and end logits, its tokenizer, and how its inputs are laid out.

    A span that scores below `threshold`, the best one on the held-out questions, is no answer.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        options: WindowOptions = DEFAULT_LAYOUT,
        *,
        max_answer_tokens: int = 30,
        threshold: float = 0.0,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.options = options
        self.max_answer_tokens = max_answer_tokens
        self.threshold = threshold

    @classmethod
    def load(cls, folder: Path, *, base: Path | None = None) -> SpanModel:
        """From what a distillation run exported, for asking it on a CPU.

        Args:
            base: the model it was trained from, where only changed weights were exported.

        Raises:
            ModelMissingError, ModelCorruptError: not there, or not whole.
        """
        model, tokenizer, description = load_exported(folder, base=base)
        fuse(model)
        task = description.get("task", {})
        options = WindowOptions(int(task.get("max_length", 384)), int(task.get("stride", 128)))
        return cls(
            model,
            tokenizer,
            options,
            max_answer_tokens=int(task.get("max_answer_tokens", 30)),
            threshold=float(description.get("measures", {}).get("threshold", 0.0)),
        )

    def find(
        self, asked: Sequence[Asked], *, n_best: int = 1, batch_tokens: int = 4096
    ) -> list[list[Span]]:
        """The n best spans of each passage for its question, best first.

        An empty list means that the passage has no token that could be chosen.
        """
        windows = make_windows(self.tokenizer, asked, self.options)
        return find_spans(
            self.model,
            windows,
            len(asked),
            n_best=n_best,
            max_tokens=self.max_answer_tokens,
            batch_tokens=batch_tokens,
        )


def find_spans(
    model: Any,
    windows: Windows,
    questions: int,
    *,
    n_best: int = 1,
    max_tokens: int = 30,
    batch_tokens: int | None = None,
) -> list[list[Span]]:
    """The n best spans of each question over all its windows; the model's mode is kept.

    Args:
        batch_tokens: of one forward pass; None as suits the device.
    """
    device = next(model.parameters()).device
    found: list[list[Span]] = [[] for _ in range(questions)]
    with evaluating(model), torch.inference_mode():
        for rows in batches(windows.lengths.tolist(), batch_tokens or forward_tokens(device)):
            batch = {key: value.to(device) for key, value in windows.batch(rows).items()}
            choices = batch.pop("choices")
            out = model(**batch)
            spans = best_spans(
                out.start_logits,
                out.end_logits,
                choices,
                n_best=n_best,
                max_tokens=max_tokens,
            )
            begins, lasts = spans.begin.tolist(), spans.last.tolist()
            for row, scores in enumerate(spans.score.tolist()):
                window = int(rows[row])
                for begin, last, score in zip(begins[row], lasts[row], scores, strict=True):
                    if score == -np.inf:
                        break
                    start, end = windows.characters(window, begin, last)
                    found[windows.owner[window]].append(Span(start, end, score))
    for question, spans_found in enumerate(found):
        found[question] = _distinct(spans_found)[:n_best]
    return found


def _distinct(spans: list[Span]) -> list[Span]:
    """Best first; of one place, found in two windows, the better score."""
    best: dict[tuple[int, int], Span] = {}
    for span in sorted(spans, key=lambda s: (-s.score, s.start, s.end)):
        best.setdefault((span.start, span.end), span)
    return list(best.values())
