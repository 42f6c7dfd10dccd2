"""`assistant people`, and `--person` before other commands."""

from __future__ import annotations

import pytest

from tests.fast.cli.conftest import Call


def test_people_are_added_listed_renamed_and_removed(call: Call) -> None:
    assert [p["name"] for p in call("people", "list", "--json").json["people"]] == ["Main"]
    added = call("people", "add", "Anna [b]", "--json").json["added"]
    assert (added["name"], added["kind"]) == ("Anna [b]", "profile")
    assert "Anna [b]" in call("people", "list").out
    renamed = call("people", "rename", added["id"], "Anna", "--json").json["renamed"]
    assert renamed == {**added, "name": "Anna"}
    assert call("people", "remove", "anna").out == "removed: Anna\n"
    assert len(call("people", "list", "--json").json["people"]) == 1


def test_each_person_has_statements_and_conversations_apart(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("people", "add", "Anna")
    call("memory", "add", "I live in Lyon.")
    assert call("--person", "anna", "memory", "list", "--json").json == {"statements": []}
    call("--person", "Anna", "memory", "add", "I live in Rome.")
    monkeypatch.setenv("ASSISTANT_PERSON", "Anna")
    assert [s["text"] for s in call("memory", "export").json] == ["I live in Rome."]
    assert call("conversations", "list", "--json").json == {"conversations": []}
    assert call("settings", "--json").status == 0  # the variable is no setting
    monkeypatch.setenv("ASSISTANT_PERSON", "")
    assert [s["text"] for s in call("memory", "export").json] == ["I live in Lyon."]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--person", "Bob", "memory", "list"], "unknown person 'Bob'"),
        (["people", "remove", "Main"], "cannot be removed"),
        (["people", "add", " "], "the name is empty"),
        (["people", "rename", "Bob", "Ann"], "unknown person 'Bob'"),
    ],
)
def test_bad_input_is_refused(call: Call, arguments: list[str], words: str) -> None:
    done = call(*arguments)
    assert done.status == 2
    assert words in done.err and "what to do:" in done.err
