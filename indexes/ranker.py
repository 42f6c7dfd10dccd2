"""Every stage's own list for each of several queries, encoded in one batch per encoder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from indexes.carried import Allowed
from indexes.dense.index import DenseIndex
from indexes.encoders import DenseEncoder, Encoders, FloatArray, of_queries
from indexes.errors import ModelMissingError
from indexes.lexical.index import LexicalIndex
from indexes.manifest import Manifest
from indexes.queries import Query
from indexes.ranking import Ranking
from indexes.sparse.index import SparseIndex

Masks = Sequence[Allowed | None]


class StageRanker(Protocol):
    """Ranks queries by one stage."""

    def __call__(self, queries: Sequence[Query], depth: int, masks: Masks) -> list[Ranking]: ...


class Ranker:
    """The stages of one published index.

    Args:
        dense, sparse: None where that stage is not encoded yet.
    """

    def __init__(
        self,
        manifest: Manifest,
        encoders: Encoders,
        lexical: LexicalIndex,
        dense: DenseIndex | None,
        sparse: SparseIndex | None,
    ) -> None:
        self._manifest, self._encoders = manifest, encoders
        self._lexical, self._dense, self._sparse = lexical, dense, sparse

    def rank(
        self,
        queries: Sequence[Query],
        depth: int,
        stages: Sequence[str],
        without: Collection[int] = (),
        allowed: Allowed | None = None,
    ) -> tuple[list[dict[str, Ranking]], dict[str, str]]:
        """For each query its list by stage, and why a stage that was wanted has none.

        Args:
            without: rows that are left out of every list, as if they were not in the index.
            allowed: which rows may be found; None: all.
        """
        rankings: list[dict[str, Ranking]] = [{} for _ in queries]
        missing: dict[str, str] = {}
        masks = self.masks(queries, allowed)
        ways: dict[str, StageRanker] = {
            "lexical": self._by_words,
            "dense": self._by_vectors,
            "sparse": self._by_terms,
        }
        for stage in stages:
            try:
                found = ways[stage](queries, depth + len(without), masks)
            except ModelMissingError as error:
                missing[stage] = str(error)
                continue
            for own, ranking in zip(rankings, found, strict=True):
                own[stage] = ranking.without(without, depth) if without else ranking
        return rankings, missing

    def masks(self, queries: Sequence[Query], allowed: Allowed | None) -> list[Allowed | None]:
        """For each query which rows it may find; None: all."""
        return [self._mask(query, allowed) for query in queries]

    def _mask(self, query: Query, allowed: Allowed | None) -> Allowed | None:
        """Which rows a query may find: those with its phrases, where it insists on them."""
        having = self._lexical.phrase_rows(query.text) if query.phrases else None
        if having is None or allowed is None:
            return allowed if having is None else having
        return having & allowed

    def _by_words(self, queries: Sequence[Query], depth: int, masks: Masks) -> list[Ranking]:
        return [  # what must be in a passage word for word is in the masks already
            self._lexical.search(query.text, depth, mask, require_phrases=False)
            for query, mask in zip(queries, masks, strict=True)
        ]

    def _by_vectors(self, queries: Sequence[Query], depth: int, masks: Masks) -> list[Ranking]:
        if self._dense is None:
            raise ModelMissingError("not encoded yet")
        encoder = self._encoders.dense()
        if encoder.fingerprint != self._manifest.stages["dense"].fingerprint:
            raise ModelMissingError("encoded by another embedder: run `assistant index update`")
        return [
            self._dense.search(vector, depth, mask)
            for vector, mask in zip(query_vectors(queries, encoder), masks, strict=True)
        ]

    def _by_terms(self, queries: Sequence[Query], depth: int, masks: Masks) -> list[Ranking]:
        if self._sparse is None:
            raise ModelMissingError("not encoded yet")
        encoder = self._encoders.sparse()
        if encoder.fingerprint != self._manifest.stages["sparse"].fingerprint:
            raise ModelMissingError("encoded by another encoder: run `assistant index update`")
        # Encoders without inference for queries encode them in another way than passages.
        encode = getattr(encoder, "encode_queries", encoder.encode)
        encoded = encode([query.text for query in queries])
        return [self._sparse.search(encoded[row], depth, mask) for row, mask in enumerate(masks)]


def query_vectors(queries: Sequence[Query], encoder: DenseEncoder) -> FloatArray:
    """Unit vectors of shape (len(queries), dimensions): a query's own where it brings one of the
    space of the encoder's queries, else that of its text, leaning on its context.

    Args:
        encoder: what encodes the passages.
    """
    encoder = of_queries(encoder)
    plain = [query for query in queries if _brought(query, encoder) is None]
    leaning = [query.context for query in plain if query.context_weight > 0]
    texts = list(dict.fromkeys([*(query.text for query in plain), *filter(None, leaning)]))
    by_text = dict(zip(texts, encoder.encode(texts), strict=True))
    vectors = []
    for query in queries:
        vector = _brought(query, encoder)
        if vector is None:
            vector = by_text[query.text]
            if query.context and query.context_weight > 0:
                vector = vector + query.context_weight * by_text[query.context]
                length = float(np.linalg.norm(vector))
                vector = vector / length if length > 0 else by_text[query.text]
        vectors.append(vector)
    return np.stack(vectors).astype(np.float32)


def _brought(query: Query, encoder: DenseEncoder) -> FloatArray | None:
    """The vector that a query brings, if it is of the encoder's space."""
    if query.vector is None or query.vector.space != encoder.fingerprint:
        return None
    return query.vector.values
