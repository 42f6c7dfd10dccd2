"""Why is this passage not found? Its rank at every stage, without a limit, and what lost it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexes.documents import Passage
from indexes.explaining.explain import (
    Shares,
    StageLists,
    fuse_lists,
    matches_of,
    similarities,
    stage_lists,
)
from indexes.explaining.locating import Location, locate
from indexes.explaining.matched import Match
from indexes.fusion import fusion_named
from indexes.index import DEFAULT_WEIGHTS, Index
from indexes.manifest import STAGES
from indexes.queries import Query

STAGE_NAMES = {stage: f"the {stage} stage" for stage in STAGES}
"""What the stages are called in sentences."""

_BLOCK = 4096  # vectors read at once


@dataclass(frozen=True, slots=True)
class StageFate:
    """What became of a passage in one stage for one query (number from 0).

    Attributes:
        rank: among all passages of the index; None where the stage does not rank it.
        of: how many passages the stage ranks.
        score: the stage's own; None where it does not rank it.
        last: the score of the last passage that the stage gives to the fusion; None where it
            gives none.
        reached: whether the stage's own search comes by it, however deep; an approximate one
            may not. The rank is then the exact one.
        given: whether it is among those given to the fusion.
        share: its part of the fused score.
        reason: a sentence without its full stop.
    """

    query: int
    stage: str
    weight: float
    rank: int | None
    of: int
    score: float | None
    last: float | None
    reached: bool
    given: bool
    share: float
    reason: str


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What became of a passage in a search.

    Attributes:
        location: how it was found in the index.
        row, passage: None where it is not in the index; nothing else is then known either.
        stages: by query and stage, those that took no part left out (see `missing`).
        matches: what each query has in common with it.
        rank: in the fused list; None where no stage gives it to the fusion.
        score, last_score: its fused score, and that of the last passage that is shown.
        rank_without_limit: what its rank would be if every stage gave all its passages.
        found: whether it is among the first `limit`.
        verdict: sentences that say what lost it.
    """

    location: Location
    row: int | None
    passage: Passage | None
    stages: tuple[StageFate, ...]
    matches: tuple[Match, ...]
    rank: int | None
    score: float
    last_score: float
    rank_without_limit: int | None
    found: bool
    verdict: str
    missing: dict[str, str]


def why_not(
    index: Index,
    query: str | Sequence[Query],
    wanted: str,
    *,
    depth: int = 100,
    weights: Mapping[str, float] = DEFAULT_WEIGHTS,
    fusion: str = "min-max",
    limit: int = 10,
    names: Mapping[str, str] = STAGE_NAMES,
) -> WhyNot:
    """What became of a passage in the search that these arguments make.

    Args:
        wanted: what `locate` understands: an id, a document, or pasted text.
        depth, weights, fusion, limit: as in `Index.search`.

    Raises:
        UsageError: query or `wanted` is empty.
        UnknownNameError: there is no such fusion.
    """
    fusion_named(fusion)
    location = locate(index, wanted)
    lists = all_lists(index, query)
    return fate(
        index, lists, location, depth=depth, weights=weights, fusion=fusion, limit=limit
    )  # fmt: skip


def all_lists(index: Index, query: str | Sequence[Query]) -> StageLists:
    """The stages' lists of all passages that they rank."""
    return stage_lists(index, query, depth=max(1, index.manifest.passages))


def fate(
    index: Index,
    lists: StageLists,
    location: Location,
    *,
    depth: int,
    weights: Mapping[str, float] = DEFAULT_WEIGHTS,
    fusion: str = "min-max",
    limit: int = 10,
    names: Mapping[str, str] = STAGE_NAMES,
) -> WhyNot:
    """What became of a passage.

    Args:
        lists: those of `all_lists`.
        names: what the stages are called in the sentences.
    """
    missing = dict(lists.missing)
    if not location.passages:
        verdict = f"{_capital(location.note)}."
        return WhyNot(
            location, None, None, (), (), None, 0.0, 0.0, None, False, verdict, missing
        )  # fmt: skip
    _, unlimited = fuse_lists(lists, lists.depth, weights, fusion)
    order = {row: rank for rank, row in enumerate(unlimited, start=1)}
    row = min(location.passages, key=lambda r: (order.get(r, len(order) + 1), r))
    shares, fused = fuse_lists(lists, depth, weights, fusion)
    ranks = {found: rank for rank, found in enumerate(fused, start=1)}
    scores = [sum(parts) for parts in list(fused.values())[:limit]]
    matches = tuple(own[0] for own in matches_of(index, lists, [row]))
    stages = tuple(
        _stage_fate(index, lists, number, stage, row, depth, weights, shares[number], names[stage])
        for number, own in enumerate(lists.rankings)
        for stage in STAGES
        if stage in own
    )
    rank, score = ranks.get(row), sum(fused.get(row, ()))
    found = rank is not None and rank <= limit
    last = scores[-1] if scores else 0.0
    if found:
        outcome = f"it is found, at rank {rank}"
    elif rank is not None:
        outcome = (
            f"it is lost in the fusion: rank {rank:,}, and the first {limit:,} are shown; its "
            f"score is {score:.3f}, that of the last shown {last:.3f}"
            f"{_largest_loss(shares, row, list(fused)[limit - 1], names)}"
        )
    elif any(one.weight > 0 for one in stages):
        outcome = f"no stage has it among the first {depth:,} that it gives to the fusion"
    else:
        outcome = "no stage that has a weight took part"
    sentences = [outcome, *_reasons(stages, len(lists.queries))]
    if rank is None and row in order:
        deeper = min(one.rank for one in stages if one.rank and one.reached)
        sentences.append(
            f"with {deeper:,} candidates of each it would be among them; without any limit "
            f"it would have rank {order[row]:,}"
        )
    sentences += [f"{names[stage]} took no part: {why}" for stage, why in missing.items()]
    return WhyNot(
        location,
        row,
        location.passages[row],
        stages,
        matches,
        rank,
        score,
        last,
        order.get(row),
        found,
        " ".join(f"{_capital(text)}." for text in sentences),
        missing,
    )


def _stage_fate(
    index: Index,
    lists: StageLists,
    number: int,
    stage: str,
    row: int,
    depth: int,
    weights: Mapping[str, float],
    shares: Shares,
    name: str,
) -> StageFate:
    ranking = lists.rankings[number][stage]
    weight = (lists.queries[number].stage_weights or weights).get(stage, 0.0)
    given = ranking.scores[:depth]
    last = float(given[-1]) if len(given) else None
    place = np.flatnonzero(ranking.rows == row)
    rank, score, reached = None, None, len(place) > 0
    if reached:
        rank, score = int(place[0]) + 1, float(ranking.scores[place[0]])
    elif stage == "dense":
        rank, score = _exact_place(index, lists, number, row)
    is_given = reached and rank is not None and rank <= depth
    share = shares[row][stage].share if row in shares and stage in shares[row] else 0.0
    of = index.manifest.passages if stage == "dense" else len(ranking)
    if not reached:
        reason = _not_reached(stage, name, score)
    elif is_given:
        reason = f"rank {rank:,} in {name}"
    else:
        reason = (
            f"rank {rank:,} of {of:,} in {name}, outside the first {depth:,} "
            f"({score:.3f}; the last of those has {last:.3f})"
        )
    if weight <= 0:
        reason += f", but {name} has weight 0" if reached else ""
    return StageFate(number, stage, weight, rank, of, score, last, reached, is_given, share, reason)


def _exact_place(
    index: Index, lists: StageLists, number: int, row: int
) -> tuple[int | None, float | None]:
    """Rank and cosine among all vectors, where an approximate search did not come by."""
    (own,) = similarities(index, lists, number, [row])
    if own is None:
        return None, None
    nearer = 0
    for begin in range(0, index.manifest.passages, _BLOCK):
        rows = range(begin, min(begin + _BLOCK, index.manifest.passages))
        nearer += sum((value or 0.0) > own for value in similarities(index, lists, number, rows))
    return nearer + 1, own


def _not_reached(stage: str, name: str, score: float | None) -> str:
    if stage == "lexical":
        return "no word of the query occurs in it"
    if stage == "sparse":
        return "it has no term of the query, not even a related one"
    near = f" (similarity {score:.3f})" if score is not None else ""
    return f"{name}, being approximate, does not come by it{near}"


def _reasons(stages: Sequence[StageFate], queries: int) -> list[str]:
    """For each query what became of the passage in each stage."""
    found = []
    for number in range(queries):
        reasons = [one.reason for one in stages if one.query == number]
        if reasons:
            before = f"for query {number + 1}: " if queries > 1 else ""
            found.append(f"{before}{'; '.join(reasons)}")
    return found


def _largest_loss(shares: Sequence[Shares], row: int, last: int, names: Mapping[str, str]) -> str:
    """The stage in which a passage is furthest behind the last one that is shown."""

    def parts(of: int) -> dict[str, float]:
        every = [own.get(of, {}) for own in shares]
        return {s: sum(o[s].share for o in every if s in o) for s in STAGES}

    own, others = parts(row), parts(last)
    stage = max(STAGES, key=lambda s: others[s] - own[s])
    if others[stage] <= own[stage]:
        return ""
    return (
        f"; most is lost in {names[stage]}, which gives it {own[stage]:.3f} and the last shown "
        f"{others[stage]:.3f}"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
