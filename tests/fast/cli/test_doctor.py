"""`assistant doctor --mend` and `assistant tidy`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fast.cli.conftest import Call


@pytest.fixture
def home(tmp_path: Path, call: Call) -> Path:
    """A home without weights, with an index by words only, beside which a killed build left files."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "bees.md").write_text("# Bees\n", encoding="utf-8")
    call("index", "build", "notes", "--from", files)
    left = tmp_path / "home" / "indexes" / "notes" / "g000099"
    left.mkdir()
    (left / "passages.sqlite").write_bytes(b"left")
    return tmp_path / "home"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be run, without running it: fetching weights needs a network."""
    found: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        found.append(command[command.index("assistant") + 1 :])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("assistant.cli.doctor.subprocess.run", run)
    return found


def test_every_finding_names_what_mends_it(home: Path, call: Call) -> None:
    findings = {f["check"]: f for f in call("doctor", "--json").json["findings"]}
    assert findings["embedder"]["mend"]["arguments"] == ["models", "fetch", "minilm"]
    assert findings["rewriter"]["severity"] == "note"
    assert findings["rewriter"]["mend"]["arguments"] == ["models", "fetch", "minilm"]
    assert findings["encoder of messages"]["mend"]["arguments"] == ["models", "fetch", "minilm"]
    assert findings["index notes"]["mend"]["arguments"] == ["index", "build", "notes"]
    assert findings["leftovers"]["mend"]["arguments"] == ["tidy"]
    assert findings["python"]["mend"] is None
    (home / "indexes" / "notes" / "manifest.json").write_text("damaged", encoding="utf-8")
    damaged = {f["check"]: f for f in call("doctor", "--json").json["findings"]}["index notes"]
    assert damaged["mend"]["arguments"] == ["index", "repair", "notes"]
    (home / "indexes" / "notes" / "manifest.json").unlink()
    lost = {f["check"]: f for f in call("doctor", "--json").json["findings"]}["index notes"]
    assert lost["mend"]["arguments"] == ["index", "repair", "notes"]


def test_the_rewriter_that_writes_is_looked_at_where_it_was_chosen(home: Path, call: Call) -> None:
    def findings(*flags: str) -> dict[str, Any]:
        return {f["check"]: f for f in call(*flags, "doctor", "--json").json["findings"]}

    assert "rewriter that writes" not in findings()
    found = findings("--set", "understanding.way=small")["rewriter that writes"]
    assert found["severity"] == "note" and "rules stand in" in found["message"]
    assert found["mend"]["arguments"] == ["models", "fetch", "smollm2-135m"]


def test_the_doctor_mends_when_told_to(home: Path, call: Call, commands: list[list[str]]) -> None:
    done = call("--home", home, "doctor", "--mend", "--yes", "--json")
    assert ["--home", str(home), "tidy"] in commands
    assert ["--home", str(home), "models", "fetch", "minilm"] in commands
    assert {"leftovers", "embedder", "index notes"} <= set(done.json["mended"])
    assert call("doctor", "--yes").status == 2
    assert call("doctor", "--mend", "--json").status == 2


def test_tidy_removes_leftovers_only(home: Path, call: Call) -> None:
    planned = call("tidy", "--dry-run", "--json").json
    assert [(item["kind"], item["of"]) for item in planned["items"]] == [("leftover", "notes")]
    assert (home / "indexes" / "notes" / "g000099").exists()
    assert "removed leftover of notes" in call("tidy").out
    assert not (home / "indexes" / "notes" / "g000099").exists()
    assert "nothing to remove" in call("tidy").out
    assert call("index", "verify", "notes").status == 0
