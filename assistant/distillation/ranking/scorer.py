"""A trained cross-encoder that scores candidates, most of them by its early layers alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.distillation.exported import load_exported
from assistant.distillation.ranking.layout import TokenTable
from indexes.encoders.batching import batches
from indexes.encoders.cpu_layers import fuse, multiplies_bfloat16

Floats = NDArray[np.float32]

_BUDGET = 4096  # tokens of a forward pass, padding included: stays in a processor's cache


class PairScorer:
    """A cross-encoder, its tokenizer, and how much of the candidates it reads to the end.

    Args:
        model: a `CrossEncoder`.
        max_length: tokens of a pair that are read.
        kept: share of the candidates that goes on after each early exit; 1 switches exits off.
        half: multiply in bfloat16, which moves a score by a few hundredths; None does so where the
            processor has instructions for it (AMX: about twice as fast; AVX-512: 1.4 times).
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        max_length: int = 256,
        kept: float = 0.4,
        half: bool | None = None,
    ) -> None:
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._kept = kept
        self._device = next(model.parameters()).device
        self._half = _prefers_half(self._device) if half is None else half
        if self._device.type == "cpu" and not self._half:
            fuse(model)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        base: Path | None = None,
        kept: float = 0.4,
        half: bool | None = None,
    ) -> PairScorer:
        """From what a distillation run exported.

        Args:
            base: the model that it was trained from.

        Raises:
            ModelMissingError, ModelCorruptError: not there, or not whole.
        """
        model, tokenizer, description = load_exported(folder, base=base)
        most = int(description.get("task", {}).get("max_length", 256))
        return cls(model, tokenizer, max_length=most, kept=kept, half=half)

    def scores(self, query: str, passages: Sequence[str]) -> Floats:
        """Scores (N,), higher is better.

        A passage that is left at an early exit is below all that go on: it gets the lowest of their
        scores less the distance that the exit saw.
        """
        if not passages:
            return np.zeros(0, np.float32)
        table = TokenTable(self._tokenizer, self._max_length)
        table.add([query, *passages])
        found = np.zeros(len(passages), np.float32)
        alive = list(range(len(passages)))
        states: dict[int, Tensor] = {}
        left: list[list[int]] = []  # by exit, those that went no further
        start = 0
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._half),
        ):
            for number, stop in enumerate(self._model.config.exits):
                lengths = [table.pair_length(query, passages[p], self._max_length) for p in alive]
                for batch in batches(lengths, _BUDGET):
                    chosen = [alive[place] for place in batch]
                    inputs = table.pairs([(query, passages[p]) for p in chosen], self._max_length)
                    inputs = {key: value.to(self._device) for key, value in inputs.items()}
                    mask = inputs["attention_mask"]
                    entering = (
                        _padded([states.pop(place) for place in chosen], mask.shape[1])
                        if start
                        else self._model.begin(**inputs)
                    )
                    after = self._model.through(entering, mask, start, stop)
                    found[chosen] = self._model.score(after, number).float().cpu().numpy()
                    for place, row, length in zip(chosen, after, mask.sum(1).tolist(), strict=True):
                        states[place] = row[:length]
                start = stop
                if stop != self._model.config.exits[-1]:
                    order = sorted(alive, key=lambda place: -float(found[place]))
                    going = max(1, round(self._kept * len(order)))
                    found[order[going:]] -= found[order[going - 1]]
                    left.append(order[going:])
                    alive = sorted(order[:going])
        floor = found[alive].min()
        for places in reversed(left):
            if places:
                found[places] += floor
                floor = found[places].min()
        return found


def _prefers_half(device: torch.device) -> bool:
    return device.type == "cuda" or multiplies_bfloat16(device)


def _padded(rows: Sequence[Tensor], length: int) -> Tensor:
    """States of several pairs, (P, length, H), zeros where a pair ends."""
    out = rows[0].new_zeros(len(rows), length, rows[0].shape[-1])
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    return out
