"""Versions of a turn, and what the person thought of it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import UnknownNameError, UsageError
from assistant.events import PassagesFound, QueriesWritten, TurnStarted
from assistant.memory.conversations import Conversations
from assistant.memory.feedback import MAX_CHARACTERS, Feedback, exported
from assistant.memory.versions import Versions
from assistant.options import TurnOptions
from assistant.pipeline import Assistant
from tests.fast.assistant.helpers import KELP, OTTERS, hashed_workspace


def opened(folder: Path) -> tuple[Conversations, Versions, Feedback]:
    kept = Conversations(folder / "conversations.sqlite")
    return kept, Versions(kept.database), Feedback(kept.database)


def test_of_versions_one_counts_and_all_are_kept(tmp_path: Path) -> None:
    conversations, versions, _ = opened(tmp_path)
    conversation = conversations.start()
    for turn, of in (("a", ""), ("b", ""), ("b2", "b"), ("c", ""), ("b3", "b2")):
        conversations.begin_turn(conversation, turn, turn)
        if of:
            versions.add(turn, of)
    turns = conversations.turns(conversation)
    places = versions.places(turns)
    assert [place.versions for place in places] == [("a",), ("b", "b2", "b3"), ("c",)]
    assert [(place.turn.id, place.number) for place in places] == [("a", 1), ("b3", 3), ("c", 1)]
    versions.choose("b")
    assert [turn.id for turn in versions.current(turns)] == ["a", "b", "c"]
    with pytest.raises(UnknownNameError):
        versions.choose("a")
    conversations.delete(conversation)
    with sqlite3.connect(tmp_path / "conversations.sqlite") as db:
        assert db.execute("SELECT count(*) FROM turn_versions").fetchone() == (0,)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=8))
def test_each_place_has_exactly_one_turn_that_counts(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, int]]
) -> None:
    conversations, versions, _ = opened(tmp_path_factory.mktemp("versions"))
    conversation = conversations.start()
    for number, (again, of) in enumerate(steps):
        conversations.begin_turn(conversation, f"t{number}", "?")
        if again and number:
            versions.add(f"t{number}", f"t{of % number}")
    turns = conversations.turns(conversation)
    places = versions.places(turns)
    assert sorted(v for place in places for v in place.versions) == sorted(t.id for t in turns)
    assert all(place.turn.id in place.versions for place in places)


def test_a_database_of_before_opens_and_takes_versions(tmp_path: Path) -> None:
    file = tmp_path / "conversations.sqlite"
    conversations = Conversations(file)
    conversations.begin_turn(conversations.start(), "a", "?")
    conversations.close()
    with sqlite3.connect(file) as db:  # as it was before there were versions and feedback
        for table in ("turn_versions", "feedback"):
            db.execute(f"DROP TABLE IF EXISTS {table}")
    again, versions, feedback = opened(tmp_path)
    (conversation,) = again.list()
    assert [place.turn.id for place in versions.places(again.turns(conversation.id))] == ["a"]
    assert feedback.list() == []


def test_older_versions_do_not_enter_the_next_turn(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, {"o": OTTERS, "k": KELP})
    assistant = Assistant(workspace)

    def ask(text: str, conversation: str | None = None, of: str = "") -> TurnStarted:
        (*events,) = assistant.ask(
            text, conversation, version_of=of, options=TurnOptions(effort="off")
        )
        assert isinstance(events[0], TurnStarted)
        return events[0]

    first = ask("How fast does kelp grow?")
    second = ask("Do sea otters sleep on their backs?", first.conversation_id, first.turn_id)
    assert second.version_of == first.turn_id
    assert second.options.effort == "off"
    third = ask("And do they drift away?", first.conversation_id)
    (written,) = [
        e
        for e in workspace.conversations.turn(third.turn_id).events
        if isinstance(e, QueriesWritten)
    ]
    assert "otters" in written.standalone
    assert "kelp" not in written.standalone
    # The first one chosen again: now the follow-up is about kelp.
    workspace.versions.choose(first.turn_id)
    fourth = ask("And where was it farmed?", first.conversation_id, third.turn_id)
    (written,) = [
        e
        for e in workspace.conversations.turn(fourth.turn_id).events
        if isinstance(e, QueriesWritten)
    ]
    assert "kelp" in written.standalone


def test_another_version_finds_again_what_the_first_showed(tmp_path: Path) -> None:
    assistant = Assistant(workspace := hashed_workspace(tmp_path, {"o": OTTERS, "k": KELP}))
    started, *_ = assistant.ask("How do sea otters sleep?")
    assert isinstance(started, TurnStarted)
    question = started.question
    again = list(assistant.ask(question, started.conversation_id, version_of=started.turn_id))
    both = [workspace.conversations.turn(t).events for t in (started.turn_id, again[0].turn_id)]
    found = [[e.passages for e in own if isinstance(e, PassagesFound)] for own in both]
    assert found[0] == found[1]


def test_a_version_of_nothing_is_refused_and_nothing_stored(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, {"o": OTTERS})
    started, *_ = Assistant(workspace).ask("How do otters sleep?")
    assert isinstance(started, TurnStarted)
    with pytest.raises(UnknownNameError):
        Assistant(workspace).ask("Why?", started.conversation_id, version_of="other")
    assert len(workspace.conversations.turns(started.conversation_id)) == 1


def test_feedback_is_kept_replaced_and_taken_back(tmp_path: Path) -> None:
    conversations, _, feedback = opened(tmp_path)
    conversation = conversations.start()
    conversations.begin_turn(conversation, "a", "What is kelp?")
    conversations.end_turn("a", "done", "Algae.", [])
    feedback.give("a", "down", "  wrong passage\n")
    assert feedback.of("a") == ("down", "wrong passage")
    feedback.give("a", "up")
    (judged,) = feedback.list()
    assert (judged.rating, judged.reason, judged.question) == ("up", "", "What is kelp?")
    assert json.loads(exported([judged]))["answer"] == "Algae."
    feedback.take_back("a")
    feedback.take_back("a")
    assert feedback.of("a") is None
    with pytest.raises(UnknownNameError):
        feedback.give("b", "up")
    with pytest.raises(UsageError):
        feedback.give("a", "up", "x" * (MAX_CHARACTERS + 1))
    feedback.give("a", "up")
    conversations.delete(conversation)
    assert feedback.list() == []
