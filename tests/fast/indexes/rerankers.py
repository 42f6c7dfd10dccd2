"""Rerankers and token vectors without weights: real implementations over words."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from indexes.documents import Passage


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


class SharedWords:
    """Scores a passage by how many of the query's words it has; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def scores(self, query: str, passages: Sequence[Passage]) -> np.ndarray:
        self.asked.append((query, len(passages)))
        wanted = set(words(query))
        return np.array([len(wanted & set(words(p.indexed_text))) for p in passages], np.float32)


class WordVectors:
    """A direction of its own for every word (of 4,096, by its checksum)."""

    def token_vectors(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [self._of(words(text)) for text in texts]

    def _of(self, tokens: list[str]) -> np.ndarray:
        vectors = np.zeros((len(tokens), 4096), dtype=np.float32)
        for position, token in enumerate(tokens):
            vectors[position, zlib.crc32(token.encode()) % 4096] = 1
        return vectors
