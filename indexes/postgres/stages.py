"""Lexical, dense and sparse search inside the database.

Each class has the `search` of its counterpart on one machine, so that ranking, fusion and the
explanation of a hit are the same code. Filters are conditions of the statement itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.postgres.encodings import KnownEncoder, half_vector, has_graph, sparse_vector
from indexes.postgres.session import Row, Session
from indexes.postgres.store import Restriction, visible
from indexes.ranking import Ranking

K1, B = 0.9, 0.4
LEXICAL_FINGERPRINT = f"postgres-bm25-k1={K1}-b={B}-1"

EXACT_UP_TO = 50_000
"""Passages (after the filter) that are all compared; above, an HNSW graph is walked."""

_WIDEST = 1000  # pgvector's limit of hnsw.ef_search

# BM25 (Robertson and Zaragoza, 2009, with Lucene's idf) from the positions that a tsvector keeps:
# their number is the term's frequency in the passage. How many passages hold a term is counted
# over the whole generation, before the filter, so that a filter does not change a score.
_BM25 = """
WITH candidates AS MATERIALIZED (
    SELECT p.number, p.document, p.length, p.words FROM passages p WHERE {visible} AND ({match})
), frequencies AS MATERIALIZED (
    SELECT c.number, c.document, c.length, t.lexeme, cardinality(t.positions) AS tf
    FROM candidates c CROSS JOIN LATERAL unnest(c.words) t WHERE t.lexeme = ANY(%(terms)s)
), weights AS (
    SELECT lexeme, ln(1 + (%(passages)s - count(*) + 0.5) / (count(*) + 0.5)) AS idf
    FROM frequencies GROUP BY lexeme
)
SELECT f.number, sum(w.idf * f.tf / (f.tf + {k1} * (1 - {b} + {b} * f.length / %(average)s)))
FROM frequencies f JOIN weights w USING (lexeme) WHERE {allowed}
GROUP BY f.number ORDER BY 2 DESC, 1 LIMIT %(depth)s
"""


class PostgresLexical:
    """BM25 over the words of passages, stemmed by the server's text search of each language.

    Args:
        configs: text search configurations that the generation's passages were indexed with.
        size: passages of the generation.
        length: their lengths in lexemes, added up.
    """

    stage = "lexical"

    def __init__(
        self, session: Session, generation: int, configs: list[str], size: int, length: int
    ) -> None:
        self._session, self._generation, self._configs = session, generation, configs
        self.size = size
        self._average = max(length / size, 1.0) if size else 1.0

    def terms(self, text: str) -> list[str]:
        """The stems of a text, by any of the index's languages."""
        return list(dict.fromkeys(term for own in self._terms(text).values() for term in own))

    def _terms(self, text: str) -> dict[str, list[str]]:
        clean = text.replace("\x00", " ")
        rows = self._session.rows(
            "SELECT c, tsvector_to_array(to_tsvector(c::regconfig, %s)) FROM unnest(%s::text[]) c",
            (clean, self._configs),
        )
        return {config: list(terms) for config, terms in rows if terms}

    def search(self, query: str, depth: int, allowed: Restriction | None = None) -> Ranking:
        """The best `depth` rows with a score above 0."""
        by_config = self._terms(query)
        if not by_config or depth <= 0:
            return Ranking.empty()
        match: list[str] = []
        values: dict[str, Any] = {}
        for number, (config, terms) in enumerate(by_config.items()):
            match.append(f"p.config = %(c{number})s AND p.words @@ %(q{number})s::tsquery")
            values |= {f"c{number}": config, f"q{number}": any_of(terms)}
        restriction, restricted = _named(allowed, "f")
        statement = _BM25.format(
            visible=visible("p", self._generation),
            match=" OR ".join(match),
            k1=K1,
            b=B,
            allowed=restriction,
        )
        terms = list(dict.fromkeys(term for own in by_config.values() for term in own))
        return _ranking(
            self._session.rows(
                statement,
                {
                    **values,
                    **restricted,
                    "terms": terms,
                    "passages": self.size,
                    "average": self._average,
                    "depth": depth,
                },
            )
        )

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
        restriction, restricted = _named(allowed, "p")
        query = f"{parse}(c::regconfig, %(text)s)"
        rows = self._session.rows(
            f"SELECT p.number, ts_rank(p.words, {query}, 1) FROM unnest(%(configs)s::text[]) c "
            f"JOIN passages p ON p.config = c AND p.words @@ {query} "
            f"WHERE {visible('p', self._generation)} AND {restriction} "
            "ORDER BY 2 DESC, 1 LIMIT %(depth)s",
            {
                **restricted,
                "configs": self._configs,
                "text": text.replace("\x00", " "),
                "depth": depth,
            },
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


def _named(allowed: Restriction | None, alias: str) -> tuple[str, dict[str, Any]]:
    """A restriction with its values by name, for statements that name theirs."""
    if allowed is None:
        return "true", {}
    names = [f"r{number}" for number in range(len(allowed.values))]
    pieces = allowed.of_passages(alias).split("%s")
    text = pieces[0] + "".join(
        f"%({name})s{piece}" for name, piece in zip(names, pieces[1:], strict=True)
    )
    return text, dict(zip(names, allowed.values, strict=True))


def _ranking(rows: list[Row]) -> Ranking:
    """Rows with scores as a ranking: equal scores by row."""
    if not rows:
        return Ranking.empty()
    numbers = np.array([row[0] for row in rows], dtype=np.int64)
    scores = np.array([row[1] for row in rows], dtype=np.float32)
    order = np.lexsort((numbers, -scores))
    return Ranking(numbers[order], scores[order])
