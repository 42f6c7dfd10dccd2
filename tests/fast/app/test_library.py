"""The library and the health page: their words, and the pages on homes without weights."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from app.components.findings import summary
from app.components.index_work import IndexWork
from app.components.library import Adding, change_words
from app.components.plans import cost_words, plan_words
from app.components.preview import place_of
from app.components.turn_times import bars
from app.components.upkeep import anew_words
from app.components.watching import watch_words
from assistant.doctor import Finding
from assistant.errors import UsageError
from assistant.jobs import Jobs
from assistant.logs import log_to, read_log
from assistant.pipeline import Assistant
from assistant.tidying import rubbish, tidy
from assistant.turn_times import recent_times
from assistant.workspace import Workspace
from indexes.documents import Passage
from indexes.manifest import Manifest, Stage
from indexes.planning import seconds_anew
from tests.fast.app.pages import captions, click, labels, markdown, page

PLAN: dict[str, Any] = {
    "index": "notes",
    "added": ["/a", "/b"],
    "changed": ["/c"],
    "removed": [],
    "moved": [],
    "unchanged": 30,
    "failures": [],
    "left_out": [],
    "cost": {
        "documents": 3,
        "passages": 12,
        "to_encode": 10,
        "seconds": 2.0,
        "bytes": 4e4,
        "read": 3,
    },
}


def test_a_plan_in_words() -> None:
    assert plan_words(PLAN) == "2 new, 1 changed, 30 unchanged."
    assert cost_words(PLAN["cost"], 20_000_000_000) == (
        "3 documents to read, 12 passages, 10 of them to encode. About 2 s of encoding. "
        "About 40 kB more on the disk; 20.0 GB are free."
    )
    assert cost_words({**PLAN["cost"], "documents": 0}, 0) == "Nothing has to be read."
    unknown = cost_words({**PLAN["cost"], "seconds": None, "read": 1}, 0)
    assert "about 12 passages" in unknown and "No estimate of the time" in unknown


def test_building_anew_in_words() -> None:
    manifest = Manifest("notes", "g000001", ["/a"], 3, 100, "c", "")
    assert seconds_anew(manifest) is None
    assert "no estimate of time" in anew_words(3, 100, None, 1000)
    manifest.stages = {"dense": Stage("d", rate=50.0), "sparse": Stage("s", rate=25.0)}
    assert seconds_anew(manifest) == 6.0
    assert anew_words(3, 100, 6.0, 1_000_000).startswith(
        "3 documents with 100 passages are read and encoded again: about 6 s of encoding, about 1 MB"
    )


def test_a_change_in_words() -> None:
    assert change_words({"added": 1, "changed": 0, "failures": [{}]}) == (
        "Last change: 1 new, 1 not read."
    )
    assert change_words({}) == ""


def test_where_a_passage_is() -> None:
    passage = Passage("p", "d", "text", 1200, 1950, page=4, headings=("Otters", "Sleep"))
    assert place_of(passage, 2) == (
        "Passage 2 · page 4 · characters 1,200 to 1,950 · Otters › Sleep"
    )


def test_a_watch_in_words() -> None:
    diary = {"places": 2, "polls": False, "began": "2026-01-02T03:04:05+00:00", "last": None}
    assert watch_words(None) == "The watch is starting."
    assert watch_words(diary).startswith("Following 2 places. Nothing has changed since 2026-01-0")
    last = {"at": "2026-01-02T03:04:05+00:00", "added": 1, "changed": 0, "removed": 2, "moved": 0}
    assert watch_words({**diary, "last": last}).endswith(": 1 new, 2 gone.")


def test_findings_summed_up() -> None:
    ok, error = Finding("a", "ok", "fine"), Finding("b", "error", "broken")
    assert summary([ok]) == "1 check: all is well."
    assert summary([ok, error, error]) == "3 checks: 2 errors."


def test_files_cannot_be_looked_at_before_they_are_copied(notes: Workspace) -> None:
    class File:
        name = "a.md"

        def getvalue(self) -> bytes:
            return b"x"

    home = type("Home", (), {"workspace": notes, "jobs": None})()
    with pytest.raises(UsageError, match="copied"):
        IndexWork(home, "more").add([], Adding("more", [File()], [], look_first=True))
    with pytest.raises(UsageError, match="nothing was chosen"):
        IndexWork(home, "more").add([], Adding("more", [], [], look_first=False))
    assert not (notes.settings.home / "documents").exists()


def _ended(home: Path, name: str, title: str, result: dict[str, Any] | None, ok: bool) -> Path:
    folder = home / "jobs" / name
    folder.mkdir(parents=True)
    about = {"title": title, "pid": 2**22, "started": 1.0, "arguments": []}
    (folder / "job.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "progress.json").write_text(json.dumps({"ended": ok, "stages": []}))
    (folder / "log.txt").write_text("error: the disk is full\n", encoding="utf-8")
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def test_a_plan_is_shown_and_put_away(notes: Workspace) -> None:
    folder = _ended(notes.settings.home, "p1", "plan notes", PLAN, ok=True)
    run = page("library")
    assert r"2 new\, 1 changed\, 30 unchanged" in markdown(run)
    assert "Start" in labels(run)
    run = click(run, "put-away-p1")
    assert not folder.exists()
    assert "Start" not in labels(run)


def test_a_failed_check_offers_the_repair(notes: Workspace) -> None:
    findings = [{"check": "files", "ok": False, "message": "a $file$ was altered", "remedy": "x"}]
    result = {"index": "notes", "ok": False, "findings": findings}
    _ended(notes.settings.home, "c1", "check notes", result, ok=True)
    run = page("library")
    assert "Repair it" in labels(run)
    assert r"A \$file\$ was altered" in markdown(run)
    health = page("health")
    assert "Repair" in labels(health)
    assert r"the last check failed\: a \$file\$ was altered" in markdown(health)


def test_health_offers_what_is_missing(notes: Workspace) -> None:
    run = page("health")
    assert any(label.startswith("Fetch minilm") for label in labels(run))
    assert "Finish encoding" in labels(run)
    assert "No question has been asked yet." in captions(run)
    assert not run.error


def test_health_mends_what_it_finds(notes: Workspace) -> None:
    folder = _ended(notes.settings.home, "i1", "index gone", None, ok=False)
    left = notes.index_folder("notes") / "g000099"
    left.mkdir()
    (left / "passages.sqlite").write_bytes(b"x" * 100)
    assert "Remove them" in labels(page("health"))
    assert {item.kind for item in rubbish(notes.settings)} == {"leftover", "work"}
    assert sum(item.bytes for item in tidy(notes.settings)) >= 100
    assert not folder.exists() and not left.exists()
    assert rubbish(notes.settings) == []
    assert notes.index("notes").store.document_count == 3
    assert "Remove them" not in labels(page("health"))


def test_times_of_turns(notes: Workspace) -> None:
    for question in ("Where do sea otters sleep?", "What is the capital of Mongolia?"):
        list(Assistant(notes).ask(question))
    latest, first = recent_times(notes.conversations)
    assert {latest.question, first.question} == {
        "Where do sea otters sleep?",
        "What is the capital of Mongolia?",
    }
    assert {"understand", "retrieve"} <= set(first.seconds)
    assert not {"total", "first word"} & set(first.seconds)
    assert {bar["step"] for bar in bars([first])} == set(first.seconds)
    assert recent_times(notes.conversations, limit=1) == [latest]
    run = page("health")
    times = next(table for table in run.dataframe if "question" in table.value)
    assert times.value["state"].tolist() == ["done", "done"]


def test_the_log_has_no_words_of_documents(tmp_path: Path) -> None:
    path = log_to(tmp_path / "logs")
    assert log_to(tmp_path / "logs") == path  # twice is once
    log = logging.getLogger("assistant.test")
    log.info("started: %s", "index notes")
    try:
        raise ValueError("the secret text of a document")
    except ValueError:
        log.exception("it went wrong")
    logging.getLogger("somebody.else").warning("secret")
    info, error = read_log(path)
    assert (info.level, info.text, error.level) == ("INFO", "started: index notes", "ERROR")
    assert "ValueError at test_library.py" in error.text
    assert "secret" not in path.read_text(encoding="utf-8")
    assert read_log(path, least="ERROR") == [error]
    assert read_log(tmp_path / "nothing.log") == []


def test_logs_of_work_are_shown(notes: Workspace) -> None:
    _ended(notes.settings.home, "i1", "index gone", None, ok=False)
    run = page("health")
    run.selectbox(key="log").set_value("index gone (failed, i1)").run()
    assert any("error: the disk is full" in code.value for code in run.code)
    run.selectbox(key="log-level").set_value("WARNING").run()
    assert any("error: the disk is full" in code.value for code in run.code)
    assert Jobs(notes.settings.jobs_folder, notes.settings.home).list()
