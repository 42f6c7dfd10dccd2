"""Encoders that encode a text once: the rows of an ablation search for much the same texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from indexes.encoders import DenseEncoder, Encoders, FloatArray, SparseEncoder, of_queries


class RememberingEncoders:
    """The given encoders, each text's encoding kept in memory for as long as this lives."""

    def __init__(self, encoders: Encoders) -> None:
        self._dense = _Dense(encoders.dense())
        self._sparse = _Sparse(encoders.sparse())

    def dense(self) -> DenseEncoder:
        return self._dense

    def sparse(self) -> SparseEncoder:
        return self._sparse


class _Dense:
    def __init__(self, encoder: DenseEncoder) -> None:
        self._encoder = encoder
        self.fingerprint, self.dimensions = encoder.fingerprint, encoder.dimensions
        self._known: dict[str, FloatArray] = {}
        asked = of_queries(encoder)
        self.queries: DenseEncoder = self if asked is encoder else _Dense(asked)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])


class _Sparse:
    def __init__(self, encoder: SparseEncoder) -> None:
        self._encoder = encoder
        self.fingerprint, self.dimensions = encoder.fingerprint, encoder.dimensions
        self._known: dict[str, sp.csr_matrix] = {}

    def encode(self, texts: Sequence[str]) -> sp.csr_matrix:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            encoded = self._encoder.encode(new)
            self._known.update((text, encoded[row]) for row, text in enumerate(new))
        if not texts:
            return sp.csr_matrix((0, self.dimensions), dtype=np.float32)
        return sp.vstack([self._known[text] for text in texts], format="csr")

    def term(self, column: int) -> str:
        return self._encoder.term(column)
