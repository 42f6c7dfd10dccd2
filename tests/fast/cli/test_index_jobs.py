"""What the page starts as a job leaves its result; documents one by one; watching."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import UsageError
from assistant.jobs import Jobs
from assistant.settings import load_settings
from assistant.watches import Watches
from assistant.workspace import Workspace
from tests.fast.cli.conftest import Call


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "bees.md").write_text("# Bees\n\nBees are insects.\n", encoding="utf-8")
    return folder


@pytest.fixture
def notes(tmp_path: Path, files: Path, call: Call) -> Path:
    """An index of one file, by words only; gives the home folder."""
    call("index", "build", "notes", "--from", files)  # fails for want of encoders, searchable
    return tmp_path / "home"


def _result(job: Path) -> Any:
    return json.loads((job / "result.json").read_text(encoding="utf-8"))


def test_a_plan_is_left_for_the_page(notes: Path, files: Path, call: Call, tmp_path: Path) -> None:
    (files / "owls.md").write_text("# Owls\n", encoding="utf-8")
    job = tmp_path / "job"
    job.mkdir()
    assert call("index", "update", "notes", "--dry-run", "--job", job).status == 0
    plan = _result(job)
    assert plan["added"] == [str(files / "owls.md")]
    assert (plan["index"], plan["sources"]) == ("notes", [str(files)])
    assert plan["cost"]["documents"] == 1
    done = call("index", "update", "notes", "--dry-run", "--json")
    assert done.json["cost"] == plan["cost"]


def test_a_check_is_left_for_the_page(notes: Path, call: Call, tmp_path: Path) -> None:
    job = tmp_path / "job"
    job.mkdir()
    assert call("index", "verify", "notes", "--job", job).status == 0
    assert _result(job)["ok"] is True
    store = next((notes / "indexes" / "notes").glob("g*/lexical/*"))
    store.write_bytes(b"damaged")
    assert call("index", "verify", "notes", "--job", job).status == 1
    wrong = [f for f in _result(job)["findings"] if not f["ok"]]
    assert any(store.name in finding["message"] for finding in wrong)
    call("index", "repair", "notes", "--job", job)  # fails for want of encoders, after mending
    assert json.loads((job / "progress.json").read_text())["ended"] is False
    assert call("index", "verify", "notes").status == 0


def test_documents_are_listed_and_read_again(notes: Path, files: Path, call: Call) -> None:
    bees = files / "bees.md"
    bees.write_text("# Bees\n\nBees make honey.\n", encoding="utf-8")
    (row,) = call("index", "documents", "notes", "--json").json["documents"]
    assert (row["title"], row["state"], row["passages"]) == ("Bees", "changed", 1)
    done = call("index", "read", "notes", "--document", bees, "--json")
    assert done.json["changed"] == 1
    assert call("index", "documents", "notes", "--state", "changed", "--json").json["total"] == 0
    assert "bees.md" in call("index", "documents", "notes", "--filter", "BEES").out
    assert call("index", "read", "notes", "--document", "nothing").status == 2
    assert "did you mean 'changed'" in call("index", "documents", "notes", "--state", "chnged").err


def _until(met: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not met():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def watches(notes: Path) -> Iterator[tuple[Watches, Jobs]]:
    jobs = Jobs(notes / "jobs", notes)
    found = Watches(jobs, notes)
    yield found, jobs
    found.off("notes")


def test_a_watch_goes_on_until_it_is_switched_off(
    watches: tuple[Watches, Jobs], files: Path, notes: Path
) -> None:
    found, jobs = watches
    assert found.of("notes") is None
    found.on("notes", [str(files)])
    found.on("notes", [str(files)])  # once is enough
    assert [job.title for job in jobs.list()] == ["watch notes"]
    _until(lambda: (watch := found.of("notes")) and watch.diary and watch.diary.get("places"))
    (files / "owls.md").write_text("# Owls\n\nOwls hunt at night.\n", encoding="utf-8")
    workspace = Workspace(load_settings(home=notes))
    _until(lambda: workspace.index("notes").manifest.documents == 2)

    # Another process, as after a restart of the page: there is nothing to resume while it runs.
    again = Watches(Jobs(notes / "jobs", notes), notes)
    assert again.resume(["notes"]) == []
    watch = again.of("notes")
    assert watch is not None and watch.job.state == "running"
    again.off("notes")
    _until(lambda: all(job.state == "done" for job in jobs.list()))
    assert again.of("notes") is None
    assert again.resume(["notes"]) == []


def test_watches_are_there_again_after_a_restart(
    watches: tuple[Watches, Jobs], files: Path, call: Call
) -> None:
    found, jobs = watches
    found.on("notes", [str(files)])
    job = jobs.list()[0]
    found.resume([])  # its index is gone
    assert found.wanted() == []
    found.off("notes")
    _until(lambda: jobs.get(job.id).state != "running")  # type: ignore[union-attr]
    found.on("notes", [str(files)])
    child = jobs.latest("watch notes")
    assert child is not None
    jobs.stop(child.id)
    _until(lambda: jobs.get(child.id).state != "running")  # type: ignore[union-attr]
    findings = {f["check"]: f for f in call("doctor", "--json").json["findings"]}
    assert findings["watch notes"]["severity"] == "note"
    assert found.resume(["notes"]) == ["notes"]
    findings = {f["check"]: f for f in call("doctor", "--json").json["findings"]}
    assert findings["watch notes"]["severity"] == "ok"


def test_only_folders_are_watched(watches: tuple[Watches, Jobs]) -> None:
    found, jobs = watches
    with pytest.raises(UsageError, match="no folder"):
        found.on("notes", ["https://example.org/", "packages:networkx"])
    assert (found.wanted(), jobs.list()) == ([], [])
