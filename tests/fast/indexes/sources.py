"""A source in memory and encoders without weights, for tests of the index itself.

The encoders are real implementations of the protocols (hashed bags of words), only without
meaning: equal texts get equal encodings, and texts that share words are near each other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse as sp

from indexes.documents import Block, Document, Entry, ReadFailure, content_hash, document_id
from indexes.errors import ReadError


class MemorySource:
    """Documents by uri; a text of None cannot be read."""

    def __init__(self, texts: dict[str, str | None], spec: str = "memory:") -> None:
        self.texts, self.spec, self.loaded = texts, spec, 0

    def entries(self) -> Iterator[Entry | ReadFailure]:
        for uri, text in sorted(self.texts.items()):
            yield Entry(uri, content_hash(text or ""), lambda u=uri, t=text: self._load(u, t))

    def _load(self, uri: str, text: str | None) -> Document:
        self.loaded += 1
        if text is None:
            raise ReadError("cannot be read", remedy="look at it")
        block = Block(0, len(text))
        return Document(document_id(uri), uri, uri, text, (block,), fingerprint=content_hash(text))


def _words(text: str) -> list[int]:
    return [
        int.from_bytes(hashlib.md5(word.encode()).digest()[:4], "big")
        for word in re.findall(r"\w+", text.lower())
    ]


class HashedDense:
    """A unit vector per text from its words' hashes."""

    dimensions = 32

    def __init__(self, fingerprint: str = "hashed-dense") -> None:
        self.fingerprint, self.encoded = fingerprint, 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += len(texts)
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for number in _words(text):
                vectors[row, number % self.dimensions] += 1 if number & 1024 else -1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(norms, 1e-9)


class HashedStudent(HashedDense):
    """Its queries are another encoder's."""

    def __init__(self) -> None:
        super().__init__("student")
        self.queries = HashedDense("teacher")


class HashedSparse:
    """A weight per hashed word."""

    dimensions = 512

    def __init__(self, fingerprint: str = "hashed-sparse") -> None:
        self.fingerprint, self.encoded = fingerprint, 0

    def encode(self, texts: Sequence[str]) -> sp.csr_matrix:
        self.encoded += len(texts)
        matrix = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for number in _words(text):
                matrix[row, number % self.dimensions] += 1
        return sp.csr_matrix(np.log1p(matrix))

    def term(self, column: int) -> str:
        return str(column)


class HashedEncoders:
    """Both, as an index wants them."""

    def __init__(self) -> None:
        self._dense, self._sparse = HashedDense(), HashedSparse()

    def dense(self) -> HashedDense:
        return self._dense

    def sparse(self) -> HashedSparse:
        return self._sparse
