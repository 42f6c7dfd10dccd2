"""An answer's graph as a table, while it grows, and asked again without a fact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.components.asked_without import asks_without, question_without
from app.components.fact_table import fact_rows
from app.components.live_graph import LiveGraph
from app.components.thoughts import answer_graph
from app.components.turn import TurnView, view_of
from app.components.visiting import pages_of
from assistant.events import AnswerDone, GraphChanged, ThinkingDone, TurnStarted
from tests.fast.app.test_thoughts import BORN, DESIGN, events
from tests.fast.assistant.helpers import hashed_workspace


def test_the_table_has_every_fact_in_words() -> None:
    answer = answer_graph(view_of(events()))
    rows = fact_rows(
        list(answer.graph.facts()),
        answer.labels,
        answer.supporting,
        lambda source: {"p1": "Bridge\n", "p2": "Ann"}.get(source, source),
    )
    assert len(rows) == 3
    first = next(row for row in rows if row["Object"] == "bridge")
    assert first == {
        "Subject": "Ann",
        "Relation": DESIGN.relation,
        "Object": "bridge",
        "Answer rests on it": "yes",
        "Said in": "Bridge",
    }
    assert [r["Answer rests on it"] for r in rows if r["Object"] == "Rome"] == ["no"]


def test_asking_without_a_fact_keeps_what_was_taken_away_before() -> None:
    told = [
        replace(event, without_facts=("old",)) if isinstance(event, TurnStarted) else event
        for event in events()
    ]
    question = question_without(view_of(told), BORN.id)
    assert question.text == "Where was its designer born?"
    assert question.without_facts == ("old", BORN.id)


def test_what_was_not_answered_is_not_asked_again() -> None:
    done = [event for event in events() if not isinstance(event, AnswerDone)]
    assert asks_without(view_of(done), pytest.fail) is None


def test_an_index_without_a_graph_has_no_pages(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, {"a.md": "Sea otters sleep in kelp."})
    assert pages_of("notes", workspace)("entity:otters") is None
    assert pages_of("no such index", workspace)("entity:otters") is None
    assert pages_of("../..", workspace)("entity:otters") is None


class Place:
    """Stands in for what Streamlit draws into; remembers what was drawn last."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.label = self.text = ""
        self.charts: list[Any] = []

    def empty(self) -> Place:
        self.places.append(Place())
        return self.places[-1]

    def update(self, *, label: str) -> None:
        self.label = label

    def markdown(self, text: str) -> None:
        self.text = text

    def echarts_chart(self, spec: Any, **options: Any) -> None:
        self.charts.append((spec, options))


@pytest.mark.parametrize(("seconds", "drawings"), [(0.01, 0), (1.0, 4)])
def test_the_graph_is_drawn_as_it_grows_where_that_takes_time(
    monkeypatch: pytest.MonkeyPatch, seconds: float, drawings: int
) -> None:
    now = [100.0]
    monkeypatch.setattr("app.components.live_graph.time.monotonic", lambda: now[0])
    status, view = Place(), TurnView()
    graph = LiveGraph(status)  # type: ignore[arg-type]
    for event in events():
        view.add(event)
        if isinstance(event, GraphChanged | ThinkingDone):
            graph.show(view, done=isinstance(event, ThinkingDone))
            now[0] += seconds
    line, drawing = status.places
    assert status.label == "Thinking…"
    assert "3 facts" in line.text and "2 of 2 things" in line.text
    assert len(drawing.charts) <= drawings and bool(drawing.charts) == bool(drawings)
    if drawings:
        spec, options = drawing.charts[-1]
        (series,) = spec["series"]
        assert len(series["links"]) == 3 and "3 facts" in options["alt"]
        # What the answer rests on stands out in the end.
        assert [line["lineStyle"]["width"] for line in series["links"]].count(3) == 2


def test_without_thinking_nothing_is_drawn() -> None:
    status, view = Place(), TurnView()
    for event in events():
        view.add(event)
    LiveGraph(status).show(view, done=True)  # type: ignore[arg-type]
    assert status.places == []
