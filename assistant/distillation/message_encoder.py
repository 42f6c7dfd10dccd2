"""A message and what was said before it to the vector of the question that it stands for.

What the task `conversation` trains; loaded and asked here without anything of training.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.distillation.encoding import mean_of, token_states
from assistant.distillation.exported import load_exported
from assistant.distillation.modes import evaluating, forward_tokens
from assistant.distillation.tags.layout import Laid, Layout
from assistant.distillation.terms import TokenStates
from assistant.errors import ModelRuntimeError
from assistant.understanding.types import Message
from indexes.encoders.batching import batches
from indexes.encoders.cpu_layers import fuse
from indexes.encoders.dense import embedder_fingerprint

MAX_LENGTH = 256


class MessageEncoder:
    """Vectors of messages in their conversations, beside an embedder's vectors of passages.

    Args:
        space: the fingerprint of that embedder.

    Safe to share between threads.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, space: str, max_length: int = MAX_LENGTH
    ) -> None:
        self.space = space
        self._model = model.eval()
        self._layout = Layout(tokenizer, max_length, words=False)
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path, *, base: Path, space: str = "") -> MessageEncoder:
        """From what a distillation run exported, for asking it on a CPU.

        Args:
            base: the embedder that it was trained from, and beside.
            space: its fingerprint, where it is known.

        Raises:
            ModelMissingError, ModelCorruptError: not there, not whole, or of another base.
        """
        model, tokenizer, description = load_exported(folder, base=base)
        fuse(model)
        most = int(description.get("task", {}).get("max_length", MAX_LENGTH))
        return cls(model, tokenizer, space=space or embedder_fingerprint(base), max_length=most)

    def encode(self, message: str, history: Sequence[Message]) -> NDArray[np.float32]:
        """The unit vector (D,) of a message after `history`, oldest first.

        Raises:
            ModelRuntimeError: there is no memory for it.
        """
        try:
            with self._lock:  # a fast tokenizer cannot be used by two threads at once
                laid = self._layout.sequences([(message, history)])
                vectors = message_vectors(self._model, self._layout, laid)
        except (RuntimeError, MemoryError) as error:  # what torch raises when memory is short
            raise ModelRuntimeError(
                f"the encoder of messages failed: {error}",
                remedy="free memory, or set understanding.vector to text",
            ) from error
        found: NDArray[np.float32] = vectors[0].numpy()
        return found


def message_vectors(model: Any, layout: Layout, sequences: Sequence[Laid]) -> Tensor:
    """Unit vectors (N, D) of N laid out conversations, on the CPU; the model's mode is kept."""
    device = next(model.parameters()).device
    vectors = torch.empty(len(sequences), model.config.hidden_size)
    with evaluating(model), torch.inference_mode():
        for rows in batches([len(one.ids) for one in sequences], forward_tokens(device)):
            inputs = {
                k: v.to(device) for k, v in layout.batch([sequences[r] for r in rows]).items()
            }
            vectors[rows] = own_mean(model, inputs).cpu()
    return vectors


def own_mean(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """Means over the tokens of the messages alone, their marks included, of length 1: (B, D).

    Args:
        inputs: of B conversations; the first segment of each is the message.
    """
    tokens = token_states(model, inputs)
    return mean_of(TokenStates(tokens.states, tokens.mask & (inputs["token_type_ids"] == 0)))
