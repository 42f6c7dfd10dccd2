"""What of a query a passage was matched by: words, terms of the sparse encoder, nearness.

The only place that looks into the stages' structures for explanations (`_word_weights`,
`_postings`), so that a stage can change its insides without the explanations noticing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from indexes.encoders import FloatArray
from indexes.lexical import LexicalIndex
from indexes.sparse import SparseIndex


@dataclass(frozen=True, slots=True)
class MatchedTerm:
    """A term that query and passage have in common.

    Attributes:
        term: a stem (lexical) or an entry of the encoder's vocabulary (sparse).
        query_weight: how often the query has the word; or its weight in the encoded query.
        passage_weight: its BM25 weight in the passage; or its weight in the encoded passage.
    """

    term: str
    query_weight: float
    passage_weight: float

    @property
    def share(self) -> float:
        """Its part of the stage's score: the parts of all terms add up to that."""
        return self.query_weight * self.passage_weight


@dataclass(frozen=True, slots=True)
class Match:
    """What one query has in common with one passage, whatever its rank.

    Attributes:
        words: of the lexical stage, largest share first.
        terms: of the sparse stage; empty where that stage takes no part.
        similarity: cosine of the two vectors; None where the dense stage takes no part.
    """

    words: tuple[MatchedTerm, ...] = ()
    terms: tuple[MatchedTerm, ...] = ()
    similarity: float | None = None


def matched_words(
    lexical: LexicalIndex, query: str, rows: Sequence[int]
) -> list[tuple[MatchedTerm, ...]]:
    """For each row the words of `query` that occur in it."""
    found: list[list[MatchedTerm]] = [[] for _ in rows]
    for stem, count in Counter(lexical.terms(query)).items():
        weights = _word_weights(lexical, stem, rows)
        for own, weight in zip(found, weights.tolist(), strict=True):
            if weight > 0:
                own.append(MatchedTerm(stem, float(count), weight))
    return [_largest_first(own) for own in found]


def matched_terms(
    sparse: SparseIndex, names: Mapping[int, str], query: sp.csr_matrix, rows: Sequence[int]
) -> list[tuple[MatchedTerm, ...]]:
    """For each row the terms that it shares with an encoded query of shape (1, dimensions).

    `names` are the vocabulary's entries by column.
    """
    found: list[list[MatchedTerm]] = [[] for _ in rows]
    for column, weight in zip(query.indices.tolist(), query.data.tolist(), strict=True):
        holders, weights = _postings(sparse, column)
        places = np.searchsorted(holders, rows)
        for own, row, place in zip(found, rows, places.tolist(), strict=True):
            if place < len(holders) and holders[place] == row:
                own.append(MatchedTerm(names[column], float(weight), float(weights[place])))
    return [_largest_first(own) for own in found]


def _largest_first(terms: list[MatchedTerm]) -> tuple[MatchedTerm, ...]:
    return tuple(sorted(terms, key=lambda matched: (-matched.share, matched.term)))


# -- the stages' insides ---------------------------------------------------------------------


def _word_weights(lexical: LexicalIndex, stem: str, rows: Sequence[int]) -> FloatArray:
    """The BM25 weight of a stem that the index knows, in each of `rows`; 0 where it is not."""
    weights = lexical._engine.get_scores([stem])
    return np.asarray(weights[np.asarray(rows, dtype=np.int64)], dtype=np.float32)


def _postings(
    sparse: SparseIndex, column: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The rows that have a term, ascending, and its weight in each."""
    if column + 1 >= len(sparse._starts):
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
    begin, end = int(sparse._starts[column]), int(sparse._starts[column + 1])
    return sparse._rows[begin:end], sparse._weights[begin:end]
