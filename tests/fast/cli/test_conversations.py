"""`assistant conversations`: what it does, what it refuses, the documented shapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.settings import load_settings
from assistant.workspace import Workspace
from tests.fast.cli.conftest import Call


@pytest.fixture
def ids(tmp_path: Path) -> list[str]:
    """Two conversations, the latest first."""
    kept = Workspace(load_settings({}, home=tmp_path / "home", environ={})).conversations
    found = []
    for number, (question, answer) in enumerate(
        [("Where do otters [b] sleep?", "In kelp."), ("What is $5?", "Money.")]
    ):
        conversation = kept.start()
        kept.begin_turn(conversation, f"t{number}", question)
        kept.end_turn(f"t{number}", "done", answer, [])
        found.append(conversation)
    return found[::-1]


def test_an_empty_home_has_none(call: Call) -> None:
    assert "no conversations" in call("conversations", "list").out
    assert call("conversations", "search", "x").out == "nothing found\n"


def test_list_search_and_show(call: Call, ids: list[str]) -> None:
    listed = call("conversations", "list", "--json").json["conversations"]
    assert [item["id"] for item in listed] == ids
    assert set(listed[0]) == {"id", "title", "updated", "pinned", "tags"}
    assert ids[0][:8] in call("conversations", "list").out
    found = call("conversations", "search", "KELP sleep", "--json").json["conversations"]
    assert [(f["id"], f["turn"]) for f in found] == [(ids[1], "t0")]
    assert found[0]["snippet"] == "Where do otters [b] sleep? – In kelp."
    assert "otters [b] sleep" in call("conversations", "search", "kelp").out
    shown = call("conversations", "show", ids[1][:6])
    assert "you: Where do otters [b] sleep?" in shown.out and "In kelp." in shown.out
    (turn,) = call("conversations", "show", ids[1], "--json").json["turns"]
    assert turn == {
        "id": "t0",
        "question": "Where do otters [b] sleep?",
        "answer": "In kelp.",
        "state": "done",
    }


def test_rename_pin_tag_and_delete(call: Call, ids: list[str]) -> None:
    latest, first = ids
    assert call("conversations", "rename", first, "Otters", "--json").json["conversation"][
        "title"
    ] == ("Otters")
    assert call("conversations", "pin", first, "--json").json["conversation"]["pinned"] is True
    assert call("conversations", "tag", first, "b", "a", "--json").json["conversation"]["tags"] == [
        "a",
        "b",
    ]
    pinned = call("conversations", "list", "--json").json["conversations"]
    assert [item["id"] for item in pinned] == [first, latest]
    tagged = call("conversations", "list", "--tag", "a", "--json").json["conversations"]
    assert [item["id"] for item in tagged] == [first]
    call("conversations", "pin", first, "--off")
    call("conversations", "tag", first)
    last = call("conversations", "list", "--json").json["conversations"][1]
    assert (last["pinned"], last["tags"]) == (False, [])
    assert call("conversations", "delete", first, first, "--json").json == {"deleted": 1}
    assert len(call("conversations", "list", "--json").json["conversations"]) == 1


def test_export_and_import(call: Call, ids: list[str], tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    done = call("conversations", "export", "--to", file, "--json").json
    assert done == {"exported": 2, "file": str(file)}
    assert call("conversations", "export").out == file.read_text(encoding="utf-8")
    one = call("conversations", "export", ids[0]).out
    assert [c["id"] for c in json.loads(one)["conversations"]] == [ids[0]]
    call("conversations", "delete", ids[0])
    assert call("conversations", "import", file, "--json").json == {
        "imported": [ids[0]],
        "known": 1,
    }
    assert call("conversations", "import", file).out == "0 imported, 2 were there already\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "zzz"], "unknown conversation 'zzz'"),
        (["delete", ""], "unknown conversation ''"),
        (["rename", "ID", " "], "the title is empty"),
        (["tag", "ID", "x" * 41], "41 characters"),
        (["import", "nowhere.json"], "cannot read nowhere.json"),
        (["search"], "missing argument"),
    ],
)
def test_bad_input_is_refused(call: Call, ids: list[str], arguments: list[str], words: str) -> None:
    done = call("conversations", *[ids[0] if a == "ID" else a for a in arguments])
    assert done.status == 2
    assert words in done.err and "what to do:" in done.err
