"""`assistant distill adapt` on the command line: statuses, undo, what cannot be asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.adapting.installed import AdaptedPart, Installed, InstalledStore
from assistant.adapting.work import adapting_lock
from assistant.cli.adapt_progress import in_words
from indexes.progress import Progress
from tests.fast.cli.conftest import Call


@pytest.fixture
def home(call: Call, tmp_path: Path) -> Path:
    """A home with an index that is found by its words alone."""
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "otters.md").write_text("# Otters\n\nSea otters sleep on their backs.\n")
    call("--set", "thoughts.graph=off", "index", "build", "notes", "--from", notes)
    assert call("index", "status", "notes", "--json").json["indexes"][0]["passages"] == 1
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no index given"),
        (("notes", "--only", "sparse"), "no such part"),
        (("notes", "--budget", "10"), "is no time"),
        (("notes", "--budget", "30s"), "too short"),
        (("notes", "--undo", "--status"), "exclude each other"),
        (("nots",), "did you mean 'notes'"),
        (("nots", "--undo"), "did you mean 'notes'"),
        (("notes", "--undo"), "nothing to undo"),
    ],
)
def test_what_cannot_be_asked_for(
    call: Call, home: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = call("distill", "adapt", *arguments)
    assert done.status == 2 and said in done.err


def test_an_index_that_is_not_encoded_is_told(call: Call, home: Path) -> None:
    done = call("distill", "adapt", "notes", "--teacher", "none")
    assert done.status == 1 and "not installed" in done.err
    assert not (home / "indexes" / "notes" / "adapting").exists()


def test_that_it_cannot_be_done_is_what_the_page_wants_to_know(
    call: Call, home: Path, tmp_path: Path
) -> None:
    arguments = ("distill", "adapt", "notes", "--dry-run", "--teacher", "none")
    done = call(*arguments)
    assert done.status == 2 and "0 questions to learn from, 40 are needed" in done.err
    (job := tmp_path / "job").mkdir()
    assert call(*arguments, "--job", job).status == 0
    told = json.loads((job / "result.json").read_text(encoding="utf-8"))
    assert told["index"] == "notes" and "40 are needed" in told["refused"]["message"]


def test_status_doctor_and_undo(call: Call, home: Path) -> None:
    assert "nothing is adapted" in call("distill", "adapt", "--status").out
    assert call("distill", "adapt", "--list", "--json").json == {"indexes": []}
    store = InstalledStore(home / "indexes" / "notes")
    report = {
        "judgement": {
            "held_out": {
                "questions": 40,
                "before": {"nDCG@10": 0.5},
                "after": {"nDCG@10": 0.6125},
                "p": 0.002,
            },
            "notes": [],
        }
    }
    part = AdaptedPart("reranker-ab", "ab", "2026-11-28T00:00:00+00:00", 0.4, 20, report)
    store.install(Installed(reranker=part))
    told = call("distill", "adapt", "notes", "--status").out
    assert "reranker-ab" in told and "0.6125" in told and "not there any more" in told
    (found,) = call("distill", "adapt", "--status", "--json").json["indexes"]
    assert found["installed"]["reranker"]["weight"] == 0.4 and found["steps_to_undo"] == 1
    findings = {f["check"]: f for f in call("doctor", "--json").json["findings"]}
    assert findings["adapted to notes"]["severity"] == "error"
    assert findings["adapted to notes"]["mend"]["arguments"][-1] == "--undo"
    missing = call("index", "search", "notes", "otters")
    assert missing.status == 1 and "--undo" in missing.err


def test_progress_in_words() -> None:
    assert in_words(Progress("mine", 5, 20, "questions", 60.0, 180.0)) == (
        "mine: 5 of 20 questions, about 3 minutes left"
    )
    assert in_words(Progress("read", 0, None, "documents", 0.0)) == "read: 0 documents"
    assert in_words(Progress("time reranker", 0, 1, "", 0.0)) == "time reranker"


def test_an_index_that_is_being_adapted_is_not_deleted(call: Call, home: Path) -> None:
    folder = home / "indexes" / "notes"
    with adapting_lock(folder):
        done = call("index", "delete", "notes", "--yes")
    assert done.status == 1 and "is adapting to index 'notes'" in done.err
    assert call("index", "status", "notes", "--json").json["indexes"][0]["passages"] == 1
    assert call("index", "delete", "notes", "--yes").status == 0 and not folder.exists()
    assert call("index", "delete", "notes", "--yes").status == 2
