"""`assistant feedback`, and the flags of `assistant ask` that choose for one question."""

from __future__ import annotations

import json
from pathlib import Path

from assistant.workspace import Workspace
from tests.fast.cli.conftest import Call
from tests.fast.cli.test_ask import KEEPER, notes

__all__ = ["notes"]


def test_feedback_is_listed_exported_and_taken_back(
    notes: Workspace, call: Call, tmp_path: Path
) -> None:
    assert "no answer was judged" in call("feedback", "list").out
    turn = call("ask", KEEPER, "-i", "notes", "--json").json["events"][0]["turn_id"]
    notes.feedback.give(turn, "down", "[bold]too long")
    assert "[bold]too long" in call("feedback", "list").out
    (one,) = call("feedback", "list", "--json").json["feedback"]
    assert (one["turn_id"], one["rating"], one["question"]) == (turn, "down", KEEPER)
    assert json.loads(call("feedback", "export").out)["reason"] == "[bold]too long"
    file = tmp_path / "judged.jsonl"
    assert call("feedback", "export", file).status == 0
    assert len(file.read_text().splitlines()) == 1
    assert call("feedback", "export", tmp_path / "no" / "folder" / "f").status == 1
    assert call("feedback", "take-back", "zzz").status == 2
    assert call("feedback", "take-back", turn[:8]).status == 0
    assert call("feedback", "list", "--json").json == {"feedback": []}


def test_choices_for_one_question_are_stored_with_it(notes: Workspace, call: Call) -> None:
    flags = ("--reader", "extractive", "--effort", "off", "--length", "short", "--form", "both")
    done = call("ask", KEEPER, "-i", "notes", *flags, "--language", "German", "--json")
    started = done.json["events"][0]
    assert {name: value for name, value in started["options"].items() if value} == {
        "reader": "extractive",
        "effort": "off",
        "length": "short",
        "form": "both",
        "language": "de",
    }
    wrong = call("ask", KEEPER, "-i", "notes", "--length", "shrt")
    assert (wrong.status, "short" in wrong.err) == (2, True)


def test_a_file_is_attached_and_an_answer_made_again(
    notes: Workspace, call: Call, tmp_path: Path
) -> None:
    file = tmp_path / "rent.md"
    file.write_text("# Flat\n\nThe rent of the flat in Lyon is 870 euros a month.\n")
    rent = "How much is the rent of the flat in Lyon?"
    first = call("ask", rent, "-i", "notes", "--attach", file, "--json").json
    assert "870 euros" in first["answer"]
    conversation, turn = first["conversation"], first["events"][0]["turn_id"]
    again = call(
        "ask", rent, "-i", "notes", "--conversation", conversation, "--instead-of", turn, "--json"
    ).json
    assert again["events"][0]["version_of"] == turn
    (place,) = notes.versions.places(notes.conversations.turns(conversation))
    assert len(place.versions) == 2
    assert call("ask", rent, "-i", "notes").status == 3
    assert call("ask", rent, "--attach", tmp_path / "none.md").status == 2
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG")
    before = len(notes.conversations.list())
    assert call("ask", rent, "--attach", photo).status == 2
    assert len(notes.conversations.list()) == before
