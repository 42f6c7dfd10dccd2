"""`assistant eval own` on a home without weights: answers are quotations found by words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.jobs import read_progress
from assistant.settings import load_settings
from tests.fast.assistant.helpers import hashed_workspace
from tests.fast.cli.conftest import Call

TEXTS = {"otters": "Sea otters sleep on their backs in kelp beds near the coast."}


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = hashed_workspace(tmp_path / "home", TEXTS)

    def workspace(context: object, **flags: object) -> object:
        named = {name.replace("__", "."): value for name, value in flags.items()}
        home = opened.settings.home
        opened.settings = load_settings(
            {"answering.reader": "extractive", **{k: v for k, v in named.items() if v}}, home=home
        )
        return opened

    monkeypatch.setattr("assistant.cli.own_eval.workspace", workspace)


def test_questions_are_kept_asked_and_deleted(call: Call, tmp_path: Path) -> None:
    question = "Where do sea otters sleep?"
    kept = call("eval", "own", "add", question, "-i", "notes", "--contains", "backs", "--json").json
    call("eval", "own", "add", "Who?", "-i", "notes", "--contains", "Napoleon")
    listed = call("eval", "own", "list", "--json").json["questions"]
    assert [row["question"] for row in listed] == [question, "Who?"]
    first = call("eval", "own", "--json")
    assert (first.status, first.json["passed"]) == (1, 1)
    assert call("eval", "own", "--only", kept["id"]).status == 0
    shown = call("eval", "own")
    assert "1 of 2 pass" in shown.out
    assert "still failing" in shown.out
    assert len(call("eval", "own", "history", "--json").json["runs"]) == 3
    call("eval", "own", "delete", kept["id"])
    assert [row["question"] for row in call("eval", "own", "list", "--json").json["questions"]] == [
        "Who?"
    ]


def test_a_job_that_went_through_is_done_whatever_failed(call: Call, tmp_path: Path) -> None:
    call("eval", "own", "add", "Who?", "-i", "notes", "--contains", "Napoleon")
    folder = tmp_path / "job"
    folder.mkdir()
    assert call("eval", "own", "--job", folder).status == 0
    progress, ended = read_progress(folder)
    assert (progress[0].done, ended) == (1, True)


def test_what_cannot_be_kept_is_refused(call: Call) -> None:
    assert call("eval", "own", "add", "Who?").status == 2
    assert call("eval", "own", "add", "Who?", "--contains", "a", "--page", "1").status == 2
    assert call("eval", "own", "delete", "nothing").status == 2
    assert call("eval", "own").status == 2
    assert json.loads(call("eval", "own", "list", "--json").out) == {"questions": []}
