"""BM25's scores of a whole collection at once: bm25s, its index built without a Python loop.

bm25s computes every score when the index is built (Lù, 2024, arXiv 2407.03618) and says of
`build_index_from_ids` that it may be overridden. Its own goes through the passages one by one;
this one counts with scipy and takes the formula over all postings at once, to equal bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

_POSTINGS_AT_ONCE = 5_000_000  # bounds what the formula takes in memory


class Bm25(bm25s.BM25):
    """bm25s with a `build_index_from_ids` that takes a matrix of tokens (method "lucene")."""

    def build_index_from_ids(
        self,
        unique_token_ids: Sequence[int],
        corpus_token_ids: sp.csr_matrix,
        show_progress: bool = False,
        leave_progress: bool = False,
    ) -> dict[str, Any]:
        """Scores by term (CSC), the rows of each term ascending.

        Args:
            unique_token_ids: the numbers of all terms, 0 … n - 1.
            corpus_token_ids: of shape (passages, terms), one entry of 1 for each *occurrence*:
                a term that occurs twice in a passage has two entries.
        """
        lengths = np.diff(corpus_token_ids.indptr)
        passages, terms = corpus_token_ids.shape[0], len(unique_token_ids)
        counts = corpus_token_ids.tocsc()
        counts.has_sorted_indices = True  # the rows came in order, only repeated
        counts.sum_duplicates()
        frequencies = np.diff(counts.indptr)
        idf = np.fromiter(
            (inverse_frequency(int(df), passages) for df in frequencies), np.float32, terms
        )
        average = float(lengths.mean()) if passages else 0.0
        scores = np.repeat(idf, frequencies)
        for begin in range(0, len(scores), _POSTINGS_AT_ONCE):
            part = slice(begin, begin + _POSTINGS_AT_ONCE)
            tf = counts.data[part].astype(np.float32)
            scores[part] *= saturation(tf, lengths[counts.indices[part]], average, self.k1, self.b)
        self.nonoccurrence_array = None
        return {
            "data": scores,
            "indices": counts.indices.astype(np.int32),
            "indptr": counts.indptr.astype(np.int64),
            "num_docs": passages,
        }


def inverse_frequency(df: int, passages: int) -> float:
    """Lucene's inverse document frequency of a term in `df` of `passages`; 0 for none."""
    return math.log(1 + (passages - df + 0.5) / (df + 0.5)) if df else 0.0


def saturation(
    tf: npt.NDArray[np.float32], lengths: npt.NDArray[Any], average: float, k1: float, b: float
) -> npt.NDArray[np.float64]:
    """BM25's share of the term frequency, below 1, in passages of `lengths` terms."""
    if not len(tf):
        return np.zeros(0, dtype=np.float64)
    norm: npt.NDArray[np.float64] = k1 * ((1 - b) + b * lengths / average) + tf
    return tf / norm
