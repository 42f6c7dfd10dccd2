"""Late interaction: every token of the query finds its nearest token of the passage.

ColBERT's MaxSim (Khattab and Zaharia, SIGIR 2020, arXiv 2004.12832), here the mean over the
query's tokens rather than their sum, so that scores of queries of different length compare:

    score(q, p) = mean over tokens i of q of  max over tokens j of p of  cos(qᵢ, pⱼ)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexes.documents import Passage
from indexes.encoders import FloatArray
from indexes.encoders.token_vectors import TokenVectors


def max_sim(query: FloatArray, passage: FloatArray) -> float:
    """MaxSim of unit vectors of shapes (query tokens, d) and (passage tokens, d), in [-1, 1].

    0 where either has no token.
    """
    if not len(query) or not len(passage):
        return 0.0
    return float((query @ passage.T).max(axis=1).mean())


class LateInteraction:
    """A `Reranker` that needs no weights of its own. Passages are encoded when they are scored."""

    def __init__(self, tokens: TokenVectors) -> None:
        self._tokens = tokens

    def scores(self, query: str, passages: Sequence[Passage]) -> FloatArray:
        """MaxSim of the query with each passage's `indexed_text`."""
        texts = [query, *(passage.indexed_text for passage in passages)]
        own, *others = self._tokens.token_vectors(texts)
        return np.array([max_sim(own, other) for other in others], dtype=np.float32)
