"""How alike two texts are, each text encoded once in a turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.understanding.stems import stems
from indexes.encoders import DenseEncoder, FloatArray


class Likeness:
    """Cosine of embeddings, or the share of common words where there is no embedder.

    Itself an encoder in the sense of `indexes.encoders.DenseEncoder`, so that the later stages of a
    turn find what was encoded here.
    """

    def __init__(self, encoder: DenseEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, FloatArray] = {}

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors of shape (len(texts), dimensions)."""
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])


def likeness(query: str, texts: Sequence[str], encoder: DenseEncoder | None) -> list[float]:
    """How well each text says what the query asks, in [0, 1]."""
    if not texts:
        return []
    if encoder is None:
        wanted = set(stems(query))
        shares = (len(wanted & set(stems(text))) for text in texts)
        return [share / max(len(wanted), 1) for share in shares]
    vectors = encoder.encode([query, *texts])
    cosines: list[float] = np.clip(vectors[1:] @ vectors[0], 0.0, 1.0).tolist()
    return cosines
