"""The graph of a stored answer, from its events."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.events import Event, GraphChanged
from assistant.thoughts.graph import ThoughtGraph


def graph_of_events(events: Iterable[Event]) -> ThoughtGraph:
    """The graph that a turn's `GraphChanged` events describe; empty where there are none.

    Raises:
        GraphError: they do not fit together.
    """
    return ThoughtGraph.replay(event.batch for event in events if isinstance(event, GraphChanged))
