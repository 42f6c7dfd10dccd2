"""A tagger that is loaded and asked, without anything of training."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from assistant.distillation.exported import load_exported
from assistant.distillation.modes import evaluating, forward_tokens
from assistant.distillation.tags.layout import Laid, Layout
from assistant.distillation.tags.words import Word
from assistant.understanding.types import Message
from indexes.encoders.batching import batches
from indexes.encoders.cpu_layers import fuse

MAX_LENGTH = 384


@dataclass(frozen=True, slots=True)
class Tagged:
    """A word of the history and the probability that it belongs to the message."""

    word: Word
    probability: float


class TagModel:
    """An encoder that says of each word of the history whether it belongs to the message.

    A word below `threshold`, the best one on the held-out conversations, does not.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, max_length: int = MAX_LENGTH, threshold: float = 0.5
    ) -> None:
        self._model = model.eval()
        self._layout = Layout(tokenizer, max_length)
        self._lock = threading.Lock()
        self.threshold = threshold

    @classmethod
    def load(cls, folder: Path, *, base: Path | None = None) -> TagModel:
        """From what a distillation run exported, for asking it on a CPU.

        Args:
            base: the model that it was trained from.

        Raises:
            ModelMissingError, ModelCorruptError: not there, not whole, or of another base.
        """
        model, tokenizer, description = load_exported(folder, base=base)
        fuse(model)
        most = int(description.get("task", {}).get("max_length", MAX_LENGTH))
        threshold = float(description.get("measures", {}).get("threshold", 0.5))
        return cls(model, tokenizer, max_length=most, threshold=threshold)

    def tag(self, message: str, history: Sequence[Message]) -> list[Tagged]:
        """Every word of the history that the message does not have, newest message first."""
        with self._lock:  # a fast tokenizer cannot be used by two threads at once
            [laid] = self._layout.sequences([(message, history)])
            [found] = probabilities(self._model, self._layout, [laid])
        return [Tagged(word, value) for word, value in zip(laid.words, found, strict=True)]


def probabilities(model: Any, layout: Layout, sequences: Sequence[Laid]) -> list[list[float]]:
    """Of each sequence the probabilities of its W words; the model's mode is kept."""
    device = next(model.parameters()).device
    found: list[list[float]] = [[] for _ in sequences]
    with evaluating(model), torch.inference_mode():
        for rows in batches([len(one.ids) for one in sequences], forward_tokens(device)):
            chosen = [sequences[row] for row in rows]
            inputs = {k: v.to(device) for k, v in layout.batch(chosen).items()}
            share = model(**inputs).logits.float().softmax(-1)[..., 1].cpu()  # (B, L)
            for row, one, values in zip(rows, chosen, share, strict=True):
                found[int(row)] = values[torch.from_numpy(one.places).long()].tolist()
    return found
