"""The graph of a question while it grows: a line at once, a drawing where thinking takes longer."""

from __future__ import annotations

import time

from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_status_container import StatusContainer

from app.components.chart import chart_spec, drawing_of
from app.components.text import plain
from app.components.turn import TurnView
from app.components.words import counted
from assistant.errors import GraphError
from assistant.thoughts.graph import ThoughtGraph

_LINE, _DRAWING = 0.08, 0.7  # seconds between two of them
_WORTH_DRAWING = 1.5  # seconds of thinking; what is over sooner would only flicker
_HEIGHT = 280  # pixels, from the first drawing on
_MOST = 25  # nodes


class LiveGraph:
    """Tells in a turn's status how its graph grows."""

    def __init__(self, status: StatusContainer) -> None:
        self._status = status
        self._line: DeltaGenerator | None = None
        self._drawing: DeltaGenerator | None = None
        self._began = self._told = self._drawn = 0.0

    def show(self, view: TurnView, *, done: bool) -> None:
        """Take in the graph as it is now.

        Args:
            done: thinking is over.
        """
        now = time.monotonic()
        if self._line is None:
            if done:
                return  # nothing was thought
            self._began = now
            self._line, self._drawing = self._status.empty(), self._status.empty()
            self._status.update(label="Thinking…")
        if done or now - self._told > _LINE:
            self._line.markdown(f":material/hub: {plain(f'Graph: {view.growth.line}')}")
            self._told = now
        worth_it = now - self._began > _WORTH_DRAWING and (done or now - self._drawn > _DRAWING)
        if self._drawing is not None and worth_it:
            self._draw(view, self._drawing)
            self._drawn = time.monotonic()

    def _draw(self, view: TurnView, place: DeltaGenerator) -> None:
        try:
            graph = ThoughtGraph.replay(view.growth.batches)
        except GraphError:
            return  # the answer's own graph, below it, says what is wrong
        nodes, facts = list(graph.nodes()), list(graph.facts())
        strong = set(view.thought.support) if view.thought is not None else set[str]()
        drawing = drawing_of(nodes, facts, strong, most=_MOST)
        labels = {slot: view.growth.slot_words(slot) for slot in view.growth.slots}
        place.echarts_chart(
            chart_spec(drawing, labels),
            height=_HEIGHT,
            renderer="svg",
            alt=f"The graph so far: {counted(len(nodes), 'node')}, {counted(len(facts), 'fact')}",
        )
