"""The library bm25s: scores of a whole collection at once, its file format, its stop words.

bm25s computes every score when the index is built (Lù, 2024, arXiv 2407.03618) and says of
`build_index_from_ids` that it may be overridden. Its own goes through the passages one by one in
Python; this one counts with scipy and takes the formula over many postings at once, to equal bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bm25s
import numpy as np
import scipy.sparse as sp
from bm25s import stopwords

from indexes.lexical.bm25 import K1, B, inverse_frequency, saturation

_POSTINGS_AT_ONCE = 5_000_000  # bounds what the formula takes in memory


class Bm25(bm25s.BM25):
    """bm25s with a `build_index_from_ids` that takes a matrix of tokens."""

    @classmethod
    def empty(cls) -> Bm25:
        """An engine with the project's k1 and b, without passages."""
        return cls(k1=K1, b=B, method="lucene")

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
            scores[part] *= saturation(tf, lengths[counts.indices[part]], average)
        self.nonoccurrence_array = None
        return {
            "data": scores,
            "indices": counts.indices.astype(np.int32),
            "indptr": counts.indptr.astype(np.int64),
            "num_docs": passages,
        }


def stop_words(name: str) -> frozenset[str]:
    """The list of a name such as "EN" or "GERMAN"; empty if there is none."""
    return frozenset(getattr(stopwords, f"STOPWORDS_{name}", ()))
