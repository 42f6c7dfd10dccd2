"""The words of passages as the server stores and weighs them: BM25 as an inner product.

A passage's lexemes and their positions are a `tsvector` (by the text search configuration of its
language), which finds candidates and phrases. Their BM25 weights are a `sparsevec` over hashed
lexemes, so that a passage is scored by one call inside the server. For that a weight may depend on
nothing but the passage: the average length in BM25's formula is a constant, that of a passage of
some 130 words, as the chunker makes them. Then an update leaves every other passage as it was, and
equals a fresh build.

    weight(t, p) = tf / (tf + k1 · (1 − b + b · length(p) / 90))        stored
    idf(t)       = ln(1 + (N − df + 0.5) / (df + 0.5))                 when searched
"""

from __future__ import annotations

from indexes.postgres.schema import HASHES

K1, B, AVERAGE = 0.9, 0.4, 90.0
FINGERPRINT = f"postgres-bm25-k1={K1}-b={B}-average={AVERAGE:.0f}-1"

_MOST_TERMS = 15_000  # a sparsevec holds 16,000

# Dimensions of a sparsevec count from 1 in its text form.
HASH = f"(hashtextextended(t.lexeme, 0) & {HASHES - 1}) + 1"

INSERT_PASSAGE = f"""
WITH passage AS (
    INSERT INTO passages (id, document, start, "end", page, headings, key, since)
    VALUES (%(id)s, %(document)s, %(start)s, %(end)s, %(page)s, %(headings)s, %(key)s, %(since)s)
    RETURNING number
), words AS MATERIALIZED (
    SELECT to_tsvector(%(config)s::regconfig, %(text)s) AS words
), terms AS MATERIALIZED (
    SELECT {HASH} AS place, sum(cardinality(t.positions))::float4 AS tf
    FROM words CROSS JOIN LATERAL unnest(words) t GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MOST_TERMS}
), length AS (
    SELECT {K1} * (1 - {B} + {B} * sum(tf) / {AVERAGE}) AS norm FROM terms
)
INSERT INTO lexical (passage, config, words, weights)
SELECT number, %(config)s, words,
    ('{{' || coalesce((SELECT string_agg(place || ':' || (tf / (tf + norm))::float4, ',')
                       FROM terms, length), '') || '}}/{HASHES}')::sparsevec
FROM passage, words
"""
