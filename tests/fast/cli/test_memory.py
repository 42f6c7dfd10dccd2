"""`assistant memory`: what it keeps, what it refuses, the documented shapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.memory.person import MAX_CHARACTERS
from tests.fast.cli.conftest import Call

PEANUTS = "I am allergic to peanuts [bold] <b>$5</b>."


def test_a_statement_is_added_listed_and_forgotten(call: Call) -> None:
    assert "nothing is remembered" in call("memory", "list").out
    added = call("memory", "add", PEANUTS)
    identity, _, text = added.out.strip().partition("  ")
    assert (added.status, text) == (0, PEANUTS)
    listed = call("memory", "list")
    assert identity in listed.out and PEANUTS in listed.out
    gone = call("memory", "forget", identity)
    assert gone.status == 0 and PEANUTS in gone.out
    assert call("memory", "list", "--json").json == {"statements": []}


def test_the_documented_shapes(call: Call, tmp_path: Path) -> None:
    kept = call("memory", "add", PEANUTS, "--json").json["remembered"]
    assert set(kept) == {"id", "text"} and kept["text"] == PEANUTS
    assert call("memory", "add", PEANUTS.upper(), "--json").json["remembered"] == kept  # once
    other = call("memory", "add", "I live in Lyon.", "--json").json["remembered"]
    assert call("memory", "list", "--json").json == {"statements": [kept, other]}
    assert call("memory", "export").json == [kept, other]
    file = tmp_path / "about-me.json"
    assert call("memory", "export", file, "--json").json == {"exported": 2, "file": str(file)}
    assert json.loads(file.read_text(encoding="utf-8")) == [kept, other]
    assert call("memory", "forget", kept["id"], "--json").json == {"forgotten": 1}
    assert call("memory", "export").json == [other]
    call("memory", "add", "I have two cats.")
    assert call("memory", "forget", "--all", "--json").json == {"forgotten": 2}
    assert call("memory", "export").json == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", ""], "nothing to remember"),
        (["add", " \n "], "nothing to remember"),
        (["add", "x" * (MAX_CHARACTERS + 1)], "501 characters"),
        (["add"], "missing argument"),
        (["forget", "nothing"], "unknown statement 'nothing'"),
        (["forget"], "say what to forget"),
        (["forget", "a", "--all"], "say what to forget"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(
    call: Call, arguments: list[str], words: str
) -> None:
    call("memory", "add", PEANUTS)
    done = call("memory", *arguments)
    assert done.status == 2
    assert words in done.err and "what to do:" in done.err
    assert [s["text"] for s in call("memory", "export").json] == [PEANUTS]


def test_an_unknown_id_names_the_nearest(call: Call) -> None:
    kept = call("memory", "add", PEANUTS, "--json").json["remembered"]
    assert kept["id"] in call("memory", "forget", kept["id"][:-1]).err


def test_an_export_that_cannot_be_written_is_said(call: Call, tmp_path: Path) -> None:
    call("memory", "add", PEANUTS)
    done = call("memory", "export", tmp_path / "none" / "about-me.json")
    assert done.status == 1
    assert "cannot write" in done.err
