"""Basic graph patterns: which bindings of variables make all patterns facts.

An index-driven join: for the bindings so far, the pattern with the fewest candidate facts comes
next, and its candidates are read from the graph's indexes by node and relation (the greedy order of
"Access Path Selection", Selinger et al. 1979, chosen anew for each binding).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from operator import itemgetter

from assistant.errors import GraphError
from assistant.thoughts.filters import Filter
from assistant.thoughts.join import MAX_ROWS, Join
from assistant.thoughts.patterns import Matches, Pattern, Row, Words, node_ids, relation_names
from assistant.thoughts.state import GraphState

__all__ = [
    "MAX_PATTERNS",
    "MAX_ROWS",
    "MAX_STEPS",
    "Matches",
    "Pattern",
    "Row",
    "Words",
    "match",
    "node_ids",
    "relation_names",
]

MAX_PATTERNS = 6
MAX_STEPS = 300_000  # candidate facts looked at


def match(
    graph: GraphState,
    patterns: Sequence[Pattern],
    filters: Sequence[Filter] = (),
    *,
    words: Words = "exact",
    negated: bool = False,
    hedged: bool = False,
    limit: int = 100,
    max_steps: int = MAX_STEPS,
) -> Matches:
    """The bindings under which every pattern is a fact and every filter holds.

    Args:
        words: relations have the same words, or share their lemmas (the shorter one's all).
        negated, hedged: also facts of which the source says that they are not, or may be, so.
        limit: rows to return, the first ones in their order.

    Raises:
        GraphError: no pattern or too many, or a variable that is both a node and a relation.
    """
    if not 1 <= len(patterns) <= MAX_PATTERNS:
        raise GraphError(f"{len(patterns)} patterns", remedy=f"give 1 to {MAX_PATTERNS}")
    join = Join(graph, patterns, filters, words, negated, hedged, max_steps)
    found, complete = join.solutions()
    first = heapq.nsmallest(limit, found, key=itemgetter(0))
    return Matches(tuple(map(join.row, first)), len(found), complete)
