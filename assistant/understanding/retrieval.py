"""From what was understood to what the index is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.settings import Settings
from assistant.understanding.statements import ChosenStatement
from assistant.understanding.types import Understanding
from indexes.queries import Query


def search_queries(
    understanding: Understanding,
    settings: Settings,
    *,
    running: bool,
    chosen: Sequence[ChosenStatement] = (),
) -> list[Query]:
    """The queries of a turn, the main one first.

    Args:
        running: whether something was said before. The words of a follow-up are few and often
            beside the point, so its meaning, which takes in what was said before, counts more.
        chosen: the person's statements, searched for as one more query where settings say so.
    """
    weights = followup_weights(settings) if running else None
    queries = [
        Query(
            query.text,
            query.weight,
            query.context,
            query.context_weight,
            weights,
            vector=query.vector,
        )
        for query in understanding.queries
    ]
    share = settings.understanding.statements_in_query
    if chosen and share:
        queries.append(statements_query(understanding, chosen, share, weights))
    return queries


def statements_query(
    understanding: Understanding,
    chosen: Sequence[ChosenStatement],
    share: float,
    stage_weights: Mapping[str, float] | None,
) -> Query:
    """The question with what is known of the person, as one query of weight `share`."""
    words = " ".join(statement.text for statement in chosen)
    return Query(f"{understanding.standalone} {words}", share, stage_weights=stage_weights)


def followup_weights(settings: Settings) -> Mapping[str, float]:
    """The fusion's weights of a follow-up: the embedder's share is set, the others keep theirs."""
    weights = settings.retrieval.weights
    dense = settings.understanding.followup_dense_weight
    others = sum(weight for stage, weight in weights.items() if stage != "dense")
    if weights["dense"] <= 0 or others <= 0:
        return weights  # a stage that was switched off stays off
    return {
        stage: dense if stage == "dense" else (1 - dense) * weight / others
        for stage, weight in weights.items()
    }
