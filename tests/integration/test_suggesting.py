"""Next questions from the graph that the parser makes of real sentences."""

from __future__ import annotations

import pytest

from assistant.events import AnswerDone, GraphChanged, PassagesFound, TurnStarted
from assistant.pipeline import Assistant
from assistant.settings import Settings
from assistant.suggesting import suggest
from assistant.workspace import Workspace
from tests.conftest import weights
from tests.fast.indexes.sources import MemorySource

pytestmark = pytest.mark.integration

TEXTS: dict[str, str | None] = {
    "tower": "The Eiffel Tower was designed by Stephen Sauvestre. Stephen Sauvestre lived in Paris.",
    "viaduct": "Garabit Viaduct was designed by Maurice Koechlin. Maurice Koechlin lived in Zurich.",
}


def test_they_follow_from_what_was_cited(settings: Settings) -> None:
    for name in ("embedder", "sparse", "en-core-web-sm"):
        weights(name)
    workspace = Workspace(settings)
    workspace.writer("notes").build([MemorySource(TEXTS)])
    events = list(Assistant(workspace).ask("Who designed the Eiffel Tower?", index="notes"))
    (done,) = [event for event in events if isinstance(event, AnswerDone)]
    assert {c.quote for s in done.sentences for c in s.citations} == {
        "The Eiffel Tower was designed by Stephen Sauvestre."
    }
    # Both were read, and the graph of the turn holds facts of both.
    (found,) = [event for event in events if isinstance(event, PassagesFound)]
    assert len(found.passages) == len(TEXTS)
    assert "Maurice Koechlin" in str([e.batch for e in events if isinstance(e, GraphChanged)])
    started = events[0]
    assert isinstance(started, TurnStarted)
    offered = suggest(workspace, workspace.conversations.turn(started.turn_id))
    assert "What is said about Stephen Sauvestre?" in offered
    assert not any("Koechlin" in question or "Zurich" in question for question in offered)
