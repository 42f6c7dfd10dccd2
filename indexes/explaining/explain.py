"""Why a search found what it found: every stage's own list, and every share of every score.

Two steps, so that weights can be tried out without encoding or searching again: `stage_lists`
asks the stages once, `explain_lists` fuses what they gave and explains it. `explain` does both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import scipy.sparse as sp

from indexes.documents import Passage
from indexes.encoders import FloatArray
from indexes.errors import UsageError
from indexes.explaining.matched import Match, MatchedTerm, matched_terms, matched_words
from indexes.filters import EVERYTHING, Filter
from indexes.fusion import Fusion, add_up, fusion_named
from indexes.index import DEFAULT_WEIGHTS, Index
from indexes.manifest import STAGES
from indexes.queries import Query, cleaned
from indexes.ranker import query_vectors
from indexes.ranking import Ranking

Shares = dict[int, dict[str, "StageShare"]]


@dataclass(frozen=True, slots=True)
class StageShare:
    """What one stage gave a passage for one query.

    Attributes:
        rank, score: in the stage's own list.
        scaled: the score as the fusion takes it, before the weight (min-max: in [0, 1]).
        share: its part of the fused score; all parts of a passage add up to that.
    """

    rank: int
    score: float
    scaled: float
    share: float


@dataclass(frozen=True, slots=True)
class QueryPart:
    """What one query gave a passage: its share of the score, by stage; and what they share."""

    share: float
    stages: dict[str, StageShare]
    match: Match


@dataclass(frozen=True, slots=True)
class ExplainedHit:
    """A passage that was found, with every part of its score; `queries` in their order."""

    row: int
    passage: Passage
    rank: int
    score: float
    queries: tuple[QueryPart, ...]


@dataclass(frozen=True, slots=True)
class StageHit:
    """A passage in the list of one stage alone."""

    row: int
    passage: Passage
    rank: int
    score: float
    match: Match


@dataclass(frozen=True, slots=True)
class StageList:
    """What one stage would have returned alone for one query (number from 0).

    `candidates` is how many passages it gave to the fusion; `weight` is its weight there.
    """

    query: int
    stage: str
    weight: float
    candidates: int
    hits: tuple[StageHit, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A search with all that made its result. `missing`: stages that took no part, and why."""

    queries: tuple[Query, ...]
    fusion: str
    depth: int
    weights: dict[str, float]
    hits: tuple[ExplainedHit, ...]
    lists: tuple[StageList, ...]
    missing: dict[str, str]


@dataclass(frozen=True, slots=True)
class StageLists:
    """What the stages gave for each query, to `depth`; and the queries as they were encoded.

    `vectors` is of shape (queries, dimensions), `terms` (queries, vocabulary); None where that
    stage takes no part. `names` are the vocabulary's entries of the terms by column: explaining
    needs no encoder any more.
    """

    queries: tuple[Query, ...]
    depth: int
    rankings: tuple[dict[str, Ranking], ...]
    missing: dict[str, str]
    vectors: FloatArray | None
    terms: sp.csr_matrix | None
    names: Mapping[int, str]

    def cut(self, depth: int, stages: Sequence[str]) -> list[dict[str, Ranking]]:
        """The first `depth` of the lists of these stages."""
        return [
            {
                stage: Ranking(own[stage].rows[:depth], own[stage].scores[:depth])
                for stage in stages
                if stage in own
            }
            for own in self.rankings
        ]


def stage_lists(
    index: Index, query: str | Sequence[Query], *, depth: int, where: Filter = EVERYTHING
) -> StageLists:
    """Ask every stage, whatever its weight, about the documents of `where`.

    Raises:
        UsageError: the query is empty, or the index lies on a server.
    """
    if not index.explains:
        raise UsageError(
            f"index '{index.manifest.name}' lies on a server; searches there are not explained",
            remedy="build it from the same sources without --engine to look into a search",
        )
    queries = cleaned(query)
    rankings, missing = index.rank(queries, depth, where=where)
    vectors = terms = None
    names: dict[int, str] = {}
    if "dense" in rankings[0]:
        vectors = query_vectors(queries, index.encoders.dense())
    if "sparse" in rankings[0]:
        encoder = index.encoders.sparse()
        encode = getattr(encoder, "encode_queries", encoder.encode)
        terms = encode([one.text for one in queries])
        names = {column: encoder.term(column) for column in set(terms.indices.tolist())}
    return StageLists(tuple(queries), depth, tuple(rankings), missing, vectors, terms, names)


def explain(
    index: Index,
    query: str | Sequence[Query],
    *,
    depth: int = 100,
    weights: Mapping[str, float] = DEFAULT_WEIGHTS,
    fusion: str = "min-max",
    limit: int = 10,
    where: Filter = EVERYTHING,
) -> Explanation:
    """Search as `Index.search` does, and say why; stages with weight 0 are asked all the same,
    for their own lists, but have no part in the result.

    Raises:
        UsageError: the query is empty.
        UnknownNameError: there is no such fusion.
    """
    fusion_named(fusion)  # refuse before anything is encoded
    lists = stage_lists(index, query, depth=depth, where=where)
    return explain_lists(index, lists, depth=depth, weights=weights, fusion=fusion, limit=limit)


def explain_lists(
    index: Index,
    lists: StageLists,
    *,
    depth: int,
    weights: Mapping[str, float] = DEFAULT_WEIGHTS,
    fusion: str = "min-max",
    limit: int = 10,
) -> Explanation:
    """Fuse lists of `index` and explain the result; a `depth` up to that of the lists."""
    shares, scores = fuse_lists(lists, depth, weights, fusion)
    best = list(scores.items())[:limit]
    cut = lists.cut(min(depth, lists.depth), STAGES)
    firsts = [
        (number, stage, own[stage]) for number, own in enumerate(cut) for stage in STAGES
        if stage in own
    ]  # fmt: skip
    listed = [row for _, _, ranking in firsts for row in ranking.rows[:limit].tolist()]
    rows = sorted({*(row for row, _ in best), *listed})
    passages = dict(zip(rows, index.store.by_rows(rows), strict=True))
    matches = dict(zip(rows, zip(*matches_of(index, lists, rows), strict=True), strict=True))
    hits = tuple(
        ExplainedHit(
            row,
            passages[row],
            rank,
            sum(parts),
            tuple(
                QueryPart(part, own.get(row, {}), match)
                for part, own, match in zip(parts, shares, matches[row], strict=True)
            ),
        )
        for rank, (row, parts) in enumerate(best, start=1)
    )
    alone = tuple(
        StageList(
            number,
            stage,
            (lists.queries[number].stage_weights or weights).get(stage, 0.0),
            len(ranking),
            tuple(
                StageHit(row, passages[row], rank, score, matches[row][number])
                for rank, (row, score) in enumerate(_first(ranking, limit), start=1)
            ),
        )
        for number, stage, ranking in firsts
    )
    return Explanation(
        lists.queries, fusion, depth, dict(weights), hits, alone, dict(lists.missing)
    )


def fuse_lists(
    lists: StageLists, depth: int, weights: Mapping[str, float], fusion: str
) -> tuple[list[Shares], dict[int, tuple[float, ...]]]:
    """For each query the stages' shares by row; and each row's score by query, best row first."""
    fuse = fusion_named(fusion)
    by_query = [one.stage_weights or weights for one in lists.queries]
    asked = [stage for stage in STAGES if any(w.get(stage, 0) > 0 for w in by_query)]
    cut = lists.cut(depth, asked)
    fused = [fuse(own, w) for own, w in zip(cut, by_query, strict=True)]
    parts = add_up(fused, [one.weight for one in lists.queries])
    best = dict(sorted(parts.items(), key=lambda item: (-sum(item[1]), item[0])))
    shares = [
        _stage_shares(fuse, own, w, {row: part[number] for row, part in best.items()})
        for number, (own, w) in enumerate(zip(cut, by_query, strict=True))
    ]
    return shares, best


def matches_of(index: Index, lists: StageLists, rows: Sequence[int]) -> list[list[Match]]:
    """For each query what it has in common with each of `rows`."""
    found = []
    for number, query in enumerate(lists.queries):
        words = matched_words(index.lexical, query.text, rows)
        terms: list[tuple[MatchedTerm, ...]] = [()] * len(rows)
        if index.sparse is not None and lists.terms is not None:
            terms = matched_terms(index.sparse, lists.names, lists.terms[number], rows)
        near = similarities(index, lists, number, rows)
        found.append([Match(*parts) for parts in zip(words, terms, near, strict=True)])
    return found


def similarities(
    index: Index, lists: StageLists, number: int, rows: Sequence[int]
) -> list[float | None]:
    """The cosine of a query's vector and each row's; None without the dense stage."""
    if index.dense is None or lists.vectors is None or not rows:
        return [None] * len(rows)
    nearness: list[float | None] = (index.dense.vectors(rows) @ lists.vectors[number]).tolist()
    return nearness


def _stage_shares(
    fuse: Fusion,
    rankings: Mapping[str, Ranking],
    weights: Mapping[str, float],
    scores: Mapping[int, float],
) -> Shares:
    """Split each row's score among the stages, in the ratio of what each gives by itself.

    What a stage gives by itself is the fusion with all other weights 0. For a fusion that is
    linear in the weights (min-max, reciprocal ranks) this is exactly its term of the sum, for one
    that multiplies the sum by a factor of the row (CombMNZ) its term times the factor.
    """
    alone = {
        stage: fuse(rankings, {other: float(other == stage) for other in rankings})
        for stage in rankings
    }
    found: Shares = {}
    for stage, ranking in rankings.items():
        for rank, (row, score) in enumerate(_first(ranking, len(ranking)), start=1):
            scaled = alone[stage].get(row, 0.0)
            found.setdefault(row, {})[stage] = StageShare(rank, score, scaled, 0.0)
    for row, stages in found.items():
        terms = {stage: weights.get(stage, 0.0) * own.scaled for stage, own in stages.items()}
        total = sum(terms.values())
        for stage, own in stages.items():
            share = scores.get(row, 0.0) * terms[stage] / total if total > 0 else 0.0
            stages[stage] = StageShare(own.rank, own.score, own.scaled, share)
    return found


def _first(ranking: Ranking, limit: int) -> list[tuple[int, float]]:
    rows: list[int] = ranking.rows[:limit].tolist()
    scores: list[float] = ranking.scores[:limit].tolist()
    return list(zip(rows, scores, strict=True))
