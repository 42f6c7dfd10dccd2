"""A source and encoders for benchmarks of the index itself: deterministic, without weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from indexes.documents import Block, Document, Entry, ReadFailure, content_hash, document_id
from indexes.encoders import FloatArray


class TextSource:
    """The documents of a JSON file, uri → text; its spec is the file's path."""

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self._texts: dict[str, str] = json.loads(Path(spec).read_text())

    def entries(self) -> Iterator[Entry | ReadFailure]:
        for uri, text in sorted(self._texts.items()):
            yield Entry(uri, content_hash(text), lambda u=uri, t=text: _document(u, t))  # type: ignore[misc]


def _document(uri: str, text: str) -> Document:
    blocks, start = [], 0
    for paragraph in text.split("\n\n"):
        blocks.append(Block(start, start + len(paragraph)))
        start += len(paragraph) + 2
    return Document(document_id(uri), uri, uri, text, tuple(blocks), fingerprint=content_hash(text))


class HashedEncoder:
    """A bag of hashed words: real encodings without weights. Tells which texts it is given."""

    def __init__(self, stage: str, dimensions: int, note: Callable[[str], None]) -> None:
        self.fingerprint = f"hashed-{stage}"
        self.dimensions, self._stage, self._note = dimensions, stage, note

    def _bags(self, texts: Sequence[str]) -> FloatArray:
        bags = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            self._note(f"encode {self._stage} {content_hash(text)[:16]}")
            for word in text.lower().split():
                number = int.from_bytes(hashlib.md5(word.encode()).digest()[:4], "big")
                bags[row, number % self.dimensions] += 1
        return bags


class HashedDense(HashedEncoder):
    def encode(self, texts: Sequence[str]) -> FloatArray:
        bags = self._bags(texts)
        norms = np.linalg.norm(bags, axis=1, keepdims=True)
        return np.asarray(bags / np.maximum(norms, 1e-9), dtype=np.float32)


class HashedSparse(HashedEncoder):
    def encode(self, texts: Sequence[str]) -> sp.csr_matrix:
        return sp.csr_matrix(np.log1p(self._bags(texts)))

    def term(self, column: int) -> str:
        return str(column)


class HashedEncoders:
    """Both encoders; `note` hears of every text that one of them is given."""

    def __init__(self, note: Callable[[str], None] = lambda line: None) -> None:
        self._dense = HashedDense("dense", 64, note)
        self._sparse = HashedSparse("sparse", 1024, note)

    def dense(self) -> HashedDense:
        return self._dense

    def sparse(self) -> HashedSparse:
        return self._sparse
