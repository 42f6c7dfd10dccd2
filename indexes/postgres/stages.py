"""Lexical, dense and sparse search inside the database.

Each class has the `search` of its counterpart on one machine, so that ranking, fusion and the
explanation of a hit are the same code. Filters are conditions of the statement itself.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.lexical.phrases import quoted
from indexes.postgres.characters import cleaned
from indexes.postgres.encodings import KnownEncoder, half_vector, has_graph, sparse_vector
from indexes.postgres.schema import HASHES
from indexes.postgres.session import Row, Session
from indexes.postgres.store import Restriction, visible
from indexes.postgres.words import HASH
from indexes.ranking import Ranking

EXACT_UP_TO = 50_000
"""Passages (after the filter) that are all compared; above, an HNSW graph is walked."""

_WIDEST = 1000  # pgvector's limit of hnsw.ef_search


class PostgresLexical:
    """BM25 (Robertson and Zaragoza, 2009, with Lucene's idf) over the words of passages, stemmed by
    the server's text search of each language.

    How many passages hold a term is that of the whole generation, so a filter changes no score.

    Args:
        configs: text search configurations that the generation's passages were indexed with.
        size: passages of the generation.
    """

    stage = "lexical"

    def __init__(self, session: Session, generation: int, configs: list[str], size: int) -> None:
        self._session, self._generation, self._configs = session, generation, configs
        self.size = size

    def terms(self, text: str) -> list[str]:
        """The stems of a text that the index knows: what a query is matched by."""
        return list(self._weights(self._stems(text)))

    def _stems(self, text: str) -> dict[str, list[str]]:
        """The stems of a text by each of the index's configurations."""
        rows = self._session.rows(
            "SELECT c, tsvector_to_array(to_tsvector(c::regconfig, %s)) FROM unnest(%s::text[]) c",
            (cleaned(text), self._configs),
        )
        return {config: list(stems) for config, stems in rows if stems}

    def _weights(self, stems: dict[str, list[str]]) -> dict[str, tuple[int, float]]:
        """Place and idf of each stem that occurs in the generation."""
        wanted = list(dict.fromkeys(stem for own in stems.values() for stem in own))
        rows = self._session.rows(
            f"SELECT t.lexeme, {HASH}, sum(change) FROM frequencies t "
            "WHERE t.lexeme = ANY(%s) AND since <= %s GROUP BY t.lexeme HAVING sum(change) > 0",
            (wanted, self._generation),
        )
        return {
            stem: (int(place), math.log(1 + (self.size - int(df) + 0.5) / (int(df) + 0.5)))
            for stem, place, df in rows
        }

    def search(
        self,
        query: str,
        depth: int,
        allowed: Restriction | None = None,
        *,
        require_phrases: bool = False,
    ) -> Ranking:
        """The best `depth` rows with a score above 0.

        Args:
            require_phrases: find only what holds every phrase of the query.
        """
        having = self.phrase_rows(query) if require_phrases else None
        if having is not None:
            allowed = having if allowed is None else having & allowed
        stems = self._stems(query)
        weights = self._weights(stems)
        if not weights or depth <= 0:
            return Ranking.empty()
        match: list[str] = []
        values: list[Any] = []
        for config, own in stems.items():
            if known := [stem for stem in own if stem in weights]:
                match.append("l.config = %s AND l.words @@ %s::tsquery")
                values += [config, any_of(known)]
        asked: dict[int, float] = {}
        for place, idf in weights.values():
            asked[place] = asked.get(place, 0.0) + idf
        pairs = ",".join(f"{place}:{idf:.7g}" for place, idf in sorted(asked.items()))
        restriction = allowed.of_passages("p") if allowed else "true"
        rows = self._session.rows(
            "SELECT p.number, -(l.weights <#> %s::sparsevec) FROM lexical l "
            "JOIN passages p ON p.number = l.passage "
            f"WHERE ({' OR '.join(match)}) AND {visible('p', self._generation)} AND {restriction} "
            "ORDER BY 2 DESC, 1 LIMIT %s",
            (
                f"{{{pairs}}}/{HASHES}",
                *values,
                *(allowed.values if allowed else ()),
                depth,
            ),
        )
        return _ranking(rows)

    def phrase_rows(self, query: str) -> Restriction | None:
        """The passages that hold all phrases of a query as written; None if it has no phrase."""
        phrases = [" ".join(words) for words in quoted(query)]
        if not phrases:
            return None
        holding = (
            "{p}.number IN (SELECT l.passage FROM lexical l JOIN unnest(%s::text[]) c "
            "ON l.config = c WHERE l.words @@ phraseto_tsquery(c::regconfig, %s))"
        )
        values = [value for phrase in phrases for value in (self._configs, cleaned(phrase))]
        return Restriction((holding,) * len(phrases), tuple(values))

    def phrase(self, text: str, depth: int, allowed: Restriction | None = None) -> Ranking:
        """The rows that hold these words in this order, by the server's own rank (`ts_rank`)."""
        return self.by_server_rank(text, depth, allowed, parse="phraseto_tsquery")

    def by_server_rank(
        self,
        text: str,
        depth: int,
        allowed: Restriction | None = None,
        *,
        parse: str = "websearch_to_tsquery",
    ) -> Ranking:
        """The server's own full-text search and its rank, which knows no idf and is no BM25.

        With `websearch_to_tsquery` a query in quotation marks is a phrase, `or` and `-` work.
        """
        restriction = allowed.of_passages("p") if allowed else "true"
        rows = self._session.rows(
            "WITH asked AS MATERIALIZED (SELECT c AS config, "
            f"{parse}(c::regconfig, %s) AS query FROM unnest(%s::text[]) c) "
            "SELECT p.number, ts_rank(l.words, a.query, 1) FROM asked a "
            "JOIN lexical l ON l.config = a.config AND l.words @@ a.query "
            "JOIN passages p ON p.number = l.passage "
            f"WHERE {visible('p', self._generation)} AND {restriction} "
            "ORDER BY 2 DESC, 1 LIMIT %s",
            (
                cleaned(text),
                self._configs,
                *(allowed.values if allowed else ()),
                depth,
            ),
        )
        return _ranking(rows)


class _Encoded:
    """Inner-product search over an encoder's table."""

    def __init__(
        self,
        session: Session,
        generation: int,
        known: KnownEncoder,
        size: int,
        exact_up_to: int = EXACT_UP_TO,
    ) -> None:
        self._session, self._generation, self._known = session, generation, known
        self.size = size
        self._exact_up_to = exact_up_to

    def _search(self, encoding: Any, depth: int, allowed: Restriction | None) -> Ranking:
        if depth <= 0 or self.size == 0:
            return Ranking.empty()
        restriction = allowed.of_passages("p") if allowed else "true"
        values = allowed.values if allowed else ()
        graph = not self._few(restriction, values) and has_graph(self._session, self._known)
        # "+ 0" hides the distance from the graph, which would be walked for a short list.
        distance = f"(e.encoding <#> %s){'' if graph else ' + 0'}"
        order = "distance" if graph else "distance, p.number"
        statement = (
            f"SELECT p.number, -{distance}, {distance} AS distance FROM {self._known.table} e "
            f"JOIN passages p ON p.key = e.key "
            f"WHERE {visible('p', self._generation)} AND {restriction} ORDER BY {order} LIMIT %s"
        )
        with self._session.alone():
            if graph:
                width = str(min(max(2 * depth, 100), _WIDEST))
                self._session.rows(
                    "SELECT set_config('hnsw.ef_search', %s, false), "
                    "set_config('hnsw.iterative_scan', 'strict_order', false)",
                    (width,),
                )
            rows = self._session.rows(statement, (encoding, encoding, *values, depth))
        return _ranking([row[:2] for row in rows])

    def _few(self, restriction: str, values: tuple[Any, ...]) -> bool:
        """Whether so few passages are allowed that comparing them all is the right thing."""
        if self.size <= self._exact_up_to:
            return True
        if restriction == "true":
            return False
        counted = self._session.value(
            "SELECT count(*) FROM (SELECT FROM passages p "
            f"WHERE {visible('p', self._generation)} AND {restriction} LIMIT %s) few",
            (*values, self._exact_up_to + 1),
        )
        return bool(counted <= self._exact_up_to)


class PostgresDense(_Encoded):
    """Cosine search over unit vectors in half precision."""

    stage = "dense"

    def search(self, query: FloatArray, depth: int, allowed: Restriction | None = None) -> Ranking:
        """The best `depth` rows for a unit vector of shape (dimensions,)."""
        return self._search(half_vector(query), depth, allowed)

    def vectors(self, rows: list[int]) -> FloatArray:
        """The stored vectors of rows, of shape (len(rows), dimensions).

        Raises:
            IndexCorruptError: one is missing.
        """
        found: dict[int, Any] = dict(
            self._session.rows(
                f"SELECT p.number, e.encoding FROM passages p JOIN {self._known.table} e "
                "ON e.key = p.key WHERE p.number = ANY(%s)",
                (rows,),
            )
        )
        if lost := [row for row in rows if row not in found]:
            raise IndexCorruptError(f"{len(lost)} passages of {len(rows)} have no vector")
        return np.stack([np.asarray(found[row].to_numpy(), dtype=np.float32) for row in rows])


class PostgresSparse(_Encoded):
    """Inner products of learned sparse weights."""

    stage = "sparse"

    def search(
        self, query: sp.csr_matrix, depth: int, allowed: Restriction | None = None
    ) -> Ranking:
        """The best `depth` rows, of those with a score above 0, for a query of shape (1, V)."""
        found = self._search(sparse_vector(query, self._known.dimensions), depth, allowed)
        count = int((found.scores > 0).sum())
        return Ranking(found.rows[:count], found.scores[:count])


def any_of(lexemes: list[str]) -> str:
    """A tsquery that any of the lexemes satisfies."""
    quoted = (term.replace("\\", "\\\\").replace("'", "''") for term in lexemes)
    return " | ".join(f"'{term}'" for term in quoted)


def _ranking(rows: list[Row]) -> Ranking:
    """Rows with scores as a ranking: equal scores by row."""
    if not rows:
        return Ranking.empty()
    numbers = np.array([row[0] for row in rows], dtype=np.int64)
    scores = np.array([row[1] for row in rows], dtype=np.float32)
    order = np.lexsort((numbers, -scores))
    return Ranking(numbers[order], scores[order])
