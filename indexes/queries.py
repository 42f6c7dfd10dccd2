"""Queries: what is searched for, alone or several at once.

Several queries for one information need (its aspects, a likely answer) are searched together: each
gives its own fused list, and the lists are added by weight over the union of their passages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from indexes.encoders import FloatArray
from indexes.errors import UsageError

MAX_QUERY_CHARACTERS = 20_000
MAX_QUERIES = 16


@dataclass(frozen=True, slots=True, eq=False)
class QueryVector:
    """A vector that was made elsewhere, for an embedder's passages.

    Attributes:
        space: the fingerprint of that embedder; an index of another one does not use it.
        values: of length 1, (dimensions,).
    """

    space: str
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Query:
    """One query.

    Attributes:
        text: the words to search for.
        weight: its share among the queries of one search, relative to theirs.
        context: text that the dense query leans on. Its vector, `context_weight` times as long as
            the query's own unit vector, is added to it; the lexical and sparse stages do not see
            it, since the words of a long context would drown those of the query.
        stage_weights: the fusion's weights for this query; None takes those of the search.
        phrases: whether what stands in quotation marks must be in a passage word for word. Who
            types a search means it so; in a question a title in quotation marks is only a name, and
            a passage that has it word for word scores higher.
        vector: what the dense stage searches with in place of the vectors of text and context,
            where it is of the index's own embedder.
    """

    text: str
    weight: float = 1.0
    context: str = ""
    context_weight: float = 0.0
    stage_weights: Mapping[str, float] | None = None
    phrases: bool = False
    vector: QueryVector | None = field(default=None, repr=False)


def cleaned(query: str | Sequence[Query]) -> list[Query]:
    """The queries that have a text and a weight, cut to the longest length.

    Raises:
        UsageError: none is left, or there are too many.
    """
    given = [Query(query, phrases=True)] if isinstance(query, str) else query
    kept = [
        replace(
            one,
            text=one.text.strip()[:MAX_QUERY_CHARACTERS],
            context=one.context.strip()[:MAX_QUERY_CHARACTERS],
        )
        for one in given
        if one.text.strip() and one.weight > 0
    ]
    if not kept:
        raise UsageError("the query is empty", remedy="ask for something")
    if len(kept) > MAX_QUERIES:
        raise UsageError(
            f"{len(kept)} queries at once, at most {MAX_QUERIES} are searched for together",
            remedy="search for them one after the other",
        )
    return kept
