"""What an index needs of an encoder. The implementations are in `dense` and `sparse`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import scipy.sparse as sp

FloatArray = npt.NDArray[np.float32]


class DenseEncoder(Protocol):
    """Texts to unit vectors.

    `fingerprint` identifies weights and settings: equal fingerprints give equal vectors.
    """

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of shape (len(texts), dimensions), float32, each of length 1."""
        ...


def of_queries(encoder: DenseEncoder) -> DenseEncoder:
    """What encodes the queries of an encoder's passages: another one of its space, or itself."""
    found: DenseEncoder = getattr(encoder, "queries", encoder)
    return found


class SparseEncoder(Protocol):
    """Texts to weights over a vocabulary."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> sp.csr_matrix:
        """A matrix of shape (len(texts), dimensions), float32, weights > 0."""
        ...

    def term(self, column: int) -> str:
        """The vocabulary entry of a column, for explanations."""
        ...


class Encoders(Protocol):
    """Loads encoders when they are first needed; loading takes seconds and memory."""

    def dense(self) -> DenseEncoder: ...

    def sparse(self) -> SparseEncoder: ...


class EncodersOfQueries:
    """`Encoders` for an index whose texts are themselves questions, to be compared with queries."""

    def __init__(self, common: Encoders) -> None:
        self._common = common

    def dense(self) -> DenseEncoder:
        return of_queries(self._common.dense())

    def sparse(self) -> SparseEncoder:
        return self._common.sparse()
