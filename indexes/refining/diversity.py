"""Diversity: a passage that says what a better one has said moves down.

Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998):

    next = argmax over the rest of  (1 − d) × relevance − d × (highest similarity to one taken)

with relevance scaled to [0, 1] over the list, so that d means the same for every query.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from indexes.encoders import FloatArray
from indexes.errors import UsageError
from indexes.refining.reranking import unit

_WORD = re.compile(r"\w+")


def word_overlap(texts: Sequence[str]) -> FloatArray:
    """Jaccard similarity of the texts' sets of words: shape (n, n), 1 on the diagonal."""
    words = [set(_WORD.findall(text.casefold())) for text in texts]
    similar = np.eye(len(texts), dtype=np.float32)
    for i, first in enumerate(words):
        for j in range(i):
            union = len(first | words[j])
            similar[i, j] = similar[j, i] = len(first & words[j]) / union if union else 1.0
    return similar


def vector_similarity(vectors: FloatArray) -> FloatArray:
    """Cosines of unit vectors of shape (n, d), those below 0 as 0: shape (n, n)."""
    return np.asarray(np.clip(vectors @ vectors.T, 0.0, 1.0), dtype=np.float32)


def diversified(relevance: Sequence[float], similar: FloatArray, diversity: float) -> list[int]:
    """Positions in their new order.

    Args:
        relevance: of each passage, best first or not.
        similar: of shape (n, n), in [0, 1].
        diversity: 0 keeps the order by relevance (equal ones as given), 1 minds only novelty after
            the first.

    Raises:
        UsageError: diversity lies outside 0..1.
    """
    if not 0 <= diversity <= 1:
        raise UsageError(f"diversity {diversity} does not lie between 0 and 1")
    order = sorted(range(len(relevance)), key=lambda position: -relevance[position])
    if diversity == 0 or len(order) < 2:
        return order
    gain = (1 - diversity) * np.array(unit(relevance))
    taken = [order.pop(0)]
    nearest = similar[taken[0]].astype(np.float64)
    while order:
        # max() takes the first of equals, which is the more relevant.
        best = max(order, key=lambda position: gain[position] - diversity * nearest[position])
        order.remove(best)
        taken.append(best)
        nearest = np.maximum(nearest, similar[best])
    return taken
