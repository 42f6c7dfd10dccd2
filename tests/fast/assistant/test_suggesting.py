"""Questions that may follow: from what was prepared, only such as can be answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.events import AnswerDone, TurnStarted
from assistant.knowledge.store import KnowledgeStore
from assistant.memory.conversations import Turn
from assistant.options import TurnOptions
from assistant.pipeline import Assistant
from assistant.settings import load_settings
from assistant.suggesting import MOST, suggest
from assistant.workspace import Workspace
from tests.fast.indexes.sources import HashedEncoders
from tests.fast.knowledge.teachers import GOOD, Taught, WritingTeacher, about

BOILER, LEASE, GARDEN = (GOOD[name][0] for name in ("boiler", "lease", "garden"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An index with one prepared question for each of its three passages."""
    taught = Taught(tmp_path / "indexes" / "notes")
    taught.build(WritingTeacher(about))
    given = {"answering.reader": "extractive", "retrieval.index": "notes"}
    opened = Workspace(load_settings(given, home=tmp_path, environ={}))
    vars(opened)["encoders"] = HashedEncoders()
    return opened


def asked(workspace: Workspace, question: str, index: str | None = None) -> Turn:
    started, *_ = Assistant(workspace).ask(question, index=index, options=TurnOptions(effort="off"))
    assert isinstance(started, TurnStarted)
    return workspace.conversations.turn(started.turn_id)


def test_prepared_questions_follow_but_not_what_was_asked(workspace: Workspace) -> None:
    turn = asked(workspace, BOILER)
    found = suggest(workspace, turn)
    assert 0 < len(found) <= MOST
    assert BOILER not in found
    assert set(found) <= {LEASE, GARDEN}
    assert suggest(workspace, turn, found) == ()
    searched: list[int] = []
    assert suggest(workspace, turn, between=lambda: searched.append(1)) == found
    assert len(searched) >= len(found)  # somebody who waits is let in before each search
    # What is offered is answered.
    for question in found:
        (done,) = [e for e in asked(workspace, question).events if isinstance(e, AnswerDone)]
        assert not done.abstained


def test_a_rejected_question_is_not_offered(workspace: Workspace) -> None:
    store = KnowledgeStore(workspace.index_folder("notes"))
    offered = suggest(workspace, asked(workspace, BOILER))
    (entry,) = [entry for entry in store.entries() if entry.question == offered[0]]
    store.set_tier(entry.id, "rejected")
    assert offered[0] not in suggest(workspace, asked(workspace, BOILER))


def test_nothing_follows_an_abstention_or_a_lost_index(workspace: Workspace) -> None:
    turn = asked(workspace, "What is the capital of Mongolia?")
    assert suggest(workspace, turn) == ()
    turn = asked(workspace, BOILER)
    workspace.writer("notes").delete_index()
    assert suggest(workspace, turn) == ()
    assert suggest(workspace, Turn("t", "Why?", "", "unfinished", ())) == ()
