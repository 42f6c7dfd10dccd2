"""Conversations out and in again as a file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import UnknownNameError, UsageError
from assistant.events import Event, StepDecided, TurnStarted, TurnStopped
from assistant.memory.archive import archived, import_archive
from assistant.memory.conversations import Conversations, Turn
from assistant.memory.versions import Versions

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
TURNS = st.lists(
    st.tuples(TEXT, TEXT, st.sampled_from(["done", "stopped", "unfinished"])), max_size=3
)
STORES = st.lists(st.tuples(TEXT, TURNS, st.booleans(), st.lists(TEXT, max_size=3)), max_size=3)


def events(conversation: str, turn: str, text: str) -> list[Event]:
    return [
        TurnStarted(turn, conversation, text, "notes", "2026-01-01T00:00:00"),
        StepDecided("retrieve", text),
        TurnStopped(text),
    ]


def fill(kept: Conversations, name: str, told: list[Any]) -> None:
    for number, (title, turns, pinned, tags) in enumerate(told):
        conversation = kept.start()
        for place, (question, answer, state) in enumerate(turns):
            turn = f"{name}-{number}-{place:03}"
            kept.begin_turn(conversation, turn, question)
            if state != "unfinished":
                kept.end_turn(turn, state, answer, events(conversation, turn, answer))
        kept.rename(conversation, title)
        kept.pin(conversation, pinned=pinned)
        kept.tag(conversation, tags)


def everything(kept: Conversations) -> list[Any]:
    return [(item, list(kept.turns(item.id))) for item in kept.list(-1)]


def without_ids(turns: list[Turn]) -> list[Any]:
    return [(t.question, t.answer, t.state, t.events[1:]) for t in turns]


@settings(max_examples=10, deadline=None)
@given(STORES, STORES)
def test_out_and_in_again_is_the_same(told: list[Any], others: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = Conversations(Path(folder) / "a.sqlite")
        fill(first, "a", told)
        text = archived(first)
        second = Conversations(Path(folder) / "b.sqlite")
        fill(second, "b", others)
        before = everything(second)
        assert import_archive(second, text).known == 0
        moved = [row for row in everything(second) if row not in before]
        assert sorted(map(repr, moved)) == sorted(map(repr, everything(first)))
        assert all(row in everything(second) for row in before)
        # Once more: everything is there already.
        after = everything(second)
        done = import_archive(second, text)
        assert (done.added, done.known) == ((), len(told))
        assert everything(second) == after
        first.close()
        second.close()


@settings(max_examples=6, deadline=None)
@given(STORES, st.data())
def test_undoing_a_deletion_restores_all(told: list[Any], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Conversations(Path(folder) / "a.sqlite")
        fill(kept, "a", told)
        before, file, tags = everything(kept), archived(kept), kept.tags()
        ids = [item.id for item, _ in before]
        gone = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
        for identity in gone:
            kept.set_aside(identity)
        assert [item.id for item, _ in everything(kept)] == [i for i in ids if i not in gone]
        for identity in gone:
            kept.put_back(identity)
        assert (everything(kept), archived(kept), kept.tags()) == (before, file, tags)
        kept.close()


@pytest.fixture
def kept(tmp_path: Path) -> Conversations:
    kept = Conversations(tmp_path / "conversations.sqlite")
    fill(kept, "t", [("Otters", [("Where?", "In kelp.", "done")], True, ["zoo"])])
    return kept


def test_another_conversation_under_the_same_id_gets_a_new_one(kept: Conversations) -> None:
    ((old, (turn,)),) = everything(kept)
    file = json.loads(archived(kept))
    file["conversations"][0]["turns"][0]["answer"] = "Elsewhere."
    done = import_archive(kept, json.dumps(file))
    (new,) = done.added
    assert new != old.id and kept.turns(old.id) == [turn]
    (copy,) = kept.turns(new)
    assert copy.id != turn.id
    started = copy.events[0]
    assert isinstance(started, TurnStarted)
    assert (started.turn_id, started.conversation_id) == (copy.id, new)
    assert without_ids([copy])[0][3] == without_ids([turn])[0][3]
    assert [c.id for c, _ in kept.search("elsewhere")] == [new]


def test_versions_stay_versions_and_the_chosen_one_counts(
    tmp_path: Path, kept: Conversations
) -> None:
    ((item, (turn,)),) = everything(kept)
    kept.begin_turn(item.id, "again", "Where, again?")
    versions = Versions(kept.database)
    versions.add("again", turn.id)
    versions.choose(turn.id)
    text = archived(kept)
    other = Conversations(tmp_path / "other.sqlite")
    for _ in range(2):  # the second time it is there already
        done = import_archive(other, text)
    assert (done.added, done.known) == ((), 1)
    (place,) = Versions(other.database).places(other.turns(item.id))
    assert (place.turn.id, place.versions) == (turn.id, (turn.id, "again"))
    # Beside another conversation of the same ids, under new ones.
    (new,) = import_archive(kept, text.replace("In kelp.", "On ice.")).added
    turns = kept.turns(new)
    (place,) = versions.places(turns)
    assert place.turn.answer == "On ice."
    assert place.versions == tuple(t.id for t in turns) and turn.id not in place.versions


def test_an_id_that_is_no_name_is_replaced(tmp_path: Path, kept: Conversations) -> None:
    file = json.loads(archived(kept))
    file["conversations"][0]["id"] = "../../x?y=<b>"
    other = Conversations(tmp_path / "other.sqlite")
    (new,) = import_archive(other, json.dumps(file)).added
    assert new.isalnum()


def _with(change: dict[str, Any], place: str = "") -> Any:
    def changed(file: dict[str, Any]) -> Any:
        target = file
        if place:
            target = file["conversations"][0]
        if place == "turn":
            target = target["turns"][0]
        target.update(change)
        return file

    return changed


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: [], "this is no file of conversations"),
        (_with({"format": "other"}), "format"),
        (_with({"version": 2}), "of version 2"),
        (_with({"more": 1}), "more"),
        (_with({"title": 3}, "conversation"), "title"),
        (_with({"tags": ["x" * 99]}, "conversation"), "99 characters"),
        (_with({"created": "yesterday"}, "turn"), "created"),
        (_with({"state": "odd"}, "turn"), "state"),
        (_with({"events": [{"event": "Nothing"}]}, "turn"), "an event that cannot be read"),
        (_with({"answer": "\ud800"}, "turn"), "not JSON in UTF-8"),
    ],
)
def test_a_wrong_file_is_refused_whole(kept: Conversations, damage: Any, words: str) -> None:
    before = everything(kept)
    good = json.loads(archived(kept))["conversations"][0]
    file = json.loads(archived(kept))
    file["conversations"].append({**good, "id": "new", "turns": []})
    with pytest.raises(UsageError, match=words):
        import_archive(kept, json.dumps(damage(file)))
    assert everything(kept) == before


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe\x00", "[" * 100_000, b"\x00" * 50])
def test_no_json_at_all(kept: Conversations, text: bytes | str) -> None:
    with pytest.raises(UsageError, match="no file of conversations"):
        import_archive(kept, text)


def test_an_unknown_id_is_not_exported(kept: Conversations) -> None:
    with pytest.raises(UnknownNameError):
        archived(kept, ["none"])
