"""A vector for every token of a text, from an embedder that is loaded anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from indexes.encoders import FloatArray
from indexes.encoders.dense import SentenceTransformerEncoder


class TokenVectors(Protocol):
    """Texts to the vectors of their tokens."""

    def token_vectors(self, texts: Sequence[str]) -> list[FloatArray]:
        """For each text an array of shape (its tokens, dimensions), float32, rows of length 1."""
        ...


class EmbedderTokens:
    """The last hidden states of a sentence-transformers embedder, before it pools them.

    The embedder was trained on their mean, not to compare them one by one, as ColBERT is.

    Args:
        batch_size: texts per forward pass; they are sorted by length within a call.
    """

    def __init__(self, encoder: SentenceTransformerEncoder, *, batch_size: int = 32) -> None:
        self._encoder, self._batch_size = encoder, batch_size

    def token_vectors(self, texts: Sequence[str]) -> list[FloatArray]:
        """As the protocol says. The tokens that mark a text's beginning and end are among them."""
        if not texts:
            return []
        with self._encoder.model() as model:
            # Without padding: the library cuts each text's states to its own tokens.
            found = model.encode(
                list(texts),
                batch_size=self._batch_size,
                output_value="token_embeddings",
                convert_to_numpy=False,
                show_progress_bar=False,
            )
        return [_unit_rows(states.float().cpu().numpy()) for states in found]


def _unit_rows(states: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(states, axis=1, keepdims=True)
    return np.asarray(states / np.maximum(lengths, 1e-12), dtype=np.float32)
