"""Events made of what the parts of a turn return."""

from __future__ import annotations

from assistant.events import FoundPassage, PassagesFound, QueriesWritten
from assistant.understanding.types import Understanding
from indexes.index import SearchResult


def queries_written(understood: Understanding) -> QueriesWritten:
    """How a message was understood."""
    return QueriesWritten(
        standalone=understood.standalone,
        queries=tuple(query.text for query in understood.queries),
        carried=understood.carried,
        reason=understood.reason,
        aspects=tuple(query.aspect for query in understood.queries),
        weights=tuple(query.weight for query in understood.queries),
        act=understood.act,
        way=understood.way,
        fallback=understood.fallback,
    )


def passages_found(
    result: SearchResult,
    passages: tuple[FoundPassage, ...],
    seconds: float,
    *,
    after: str = "retrieval",
) -> PassagesFound:
    """What a search brought; `after` is "retrieval" or "thinking"."""
    return PassagesFound(passages, result.stages, tuple(result.missing), round(seconds, 3), after)
