"""What of a query a passage was matched by: words, terms of the sparse encoder, nearness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from indexes.lexical.index import LexicalIndex
from indexes.sparse.index import SparseIndex


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
    return [
        _largest_first([MatchedTerm(*one) for one in own]) for own in lexical.matches(query, rows)
    ]


def matched_terms(
    sparse: SparseIndex, names: Mapping[int, str], query: sp.csr_matrix, rows: Sequence[int]
) -> list[tuple[MatchedTerm, ...]]:
    """For each row the terms that it shares with an encoded query of shape (1, dimensions).

    `names` are the vocabulary's entries by column.
    """
    found: list[list[MatchedTerm]] = [[] for _ in rows]
    for column, weight in zip(query.indices.tolist(), query.data.tolist(), strict=True):
        holders, weights = sparse.postings(column)
        places = np.searchsorted(holders, rows)
        for own, row, place in zip(found, rows, places.tolist(), strict=True):
            if place < len(holders) and holders[place] == row:
                own.append(MatchedTerm(names[column], float(weight), float(weights[place])))
    return [_largest_first(own) for own in found]


def _largest_first(terms: list[MatchedTerm]) -> tuple[MatchedTerm, ...]:
    return tuple(sorted(terms, key=lambda matched: (-matched.share, matched.term)))
