"""Every event survives its JSON line; anything else is refused in words."""

from __future__ import annotations

import dataclasses
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import events
from assistant.errors import UsageError
from assistant.thoughts.changes import Batch
from tests.fast.thoughts.strategies import graphs

EVENT_TYPES = typing.get_args(events.Event)
_finite = st.floats(allow_nan=False, allow_infinity=False)
_text = st.text(st.characters(codec="utf-8"), max_size=30)
st.register_type_strategy(float, _finite)
st.register_type_strategy(str, _text)
# A batch of changes has to fit a graph: one of those that made some graph.
st.register_type_strategy(
    Batch, graphs().filter(lambda graph: graph.log).map(lambda graph: graph.log[-1])
)


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_round_trip(kind: type) -> None:
    @given(st.from_type(kind))
    def check(event: events.Event) -> None:
        line = events.to_json(event)
        assert "\n" not in line
        assert events.from_json(line) == event

    check()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        '{"event": "Nothing"}',
        '{"event": "Token"}',
        '{"event":"Token","text":"a","b":1}',
    ],
)
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(UsageError):
        events.from_json(line)


def test_events_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        events.Token("a").text = "b"  # type: ignore[misc]
