"""`assistant index` and `assistant graph` with the graph of an index."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.events import GraphChanged, TurnStarted
from assistant.memory.conversations import Conversations
from assistant.workspace import Workspace
from indexes.build import IndexWriter
from tests.fast.cli.conftest import Call
from tests.fast.indexes.sources import HashedEncoders, MemorySource
from tests.fast.thoughts.graphs import fact, graph_of, said
from tests.fast.thoughts.test_persistent_companion import TEXTS, _writer


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Workspace, "encoders", HashedEncoders())
    folder = tmp_path / "home" / "indexes" / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    return folder


def test_status_and_verify_say_how_the_graph_is(call: Call, notes: Path) -> None:
    (row,) = call("index", "status", "--json").json["indexes"]
    assert row["graph"] == {"entities": 8, "facts": 3, "current": True}
    assert call("index", "status", "notes").status == 0
    checks = {f["check"]: f for f in call("index", "verify", "notes", "--json").json["findings"]}
    assert checks["graph"]["message"] == "8 entities, 3 facts"
    more = {**TEXTS, "d": "Eve met Dee."}
    IndexWriter(notes, HashedEncoders()).build([MemorySource(more)])
    (row,) = call("index", "status", "--json").json["indexes"]
    assert row["graph"]["current"] is False


def test_an_entity_is_found_and_shown(call: Call, notes: Path) -> None:
    found = call("graph", "search", "an", "--index", "notes", "--json").json["nodes"]
    assert [node["id"] for node in found] == ["entity:ann"]
    assert call("graph", "search", "an", "--index", "notes").out == "Ann (person), entity:ann\n"
    assert call("graph", "search", "zz", "--index", "notes").out == "nothing found\n"
    page = call("graph", "show", "Ann", "--index", "notes", "--json").json
    assert {(f["subject_label"], f["object_label"]) for f in page["facts"]} == {
        ("Ann", "Bob"),
        ("Dee", "Ann"),
    }
    shown = call("graph", "show", "ann", "--index", "notes").out
    assert "“Ann met Bob”" in shown
    unknown = call("graph", "show", "Ann Lee", "--index", "notes")
    assert unknown.status == 2 and "'Ann'" in unknown.err
    whole = call("graph", "show", "--index", "notes", "--json").json
    assert whole["index"]["facts"] == 3 and whole["changes"] == 0


def test_the_whole_graph_is_exported_and_a_change_is_undone(
    call: Call, notes: Path, tmp_path: Path
) -> None:
    file = tmp_path / "notes.kgcl"
    out = call("graph", "export", "--index", "notes", "--out", file, "--json").json
    assert (out["nodes"], out["facts"]) == (8, 3)
    added = tmp_path / "more.kgcl"
    text = file.read_text(encoding="utf-8").replace("Bob", "Zoe").replace("bob", "zoe")
    added.write_text(text, encoding="utf-8")
    assert call("graph", "import", added, "--index", "notes").status == 0
    assert call("graph", "show", "Zoe", "--index", "notes").status == 0
    assert call("graph", "show", "Bob", "--index", "notes").status == 0
    assert call("graph", "undo", "--index", "notes").status == 0
    assert call("graph", "show", "Zoe", "--index", "notes").status == 2


def test_no_graph_says_how_to_get_one(call: Call, tmp_path: Path, notes: Path) -> None:
    IndexWriter(notes.parent / "bare", HashedEncoders()).build([MemorySource(TEXTS)])
    done = call("graph", "log", "--index", "bare")
    assert done.status == 1 and "index update bare --extract rules" in done.err
    assert call("index", "status", "bare", "--json").json["indexes"][0]["graph"] is None


def test_extract_must_be_a_way(call: Call, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    done = call("index", "build", "n", "--from", tmp_path / "texts", "--extract", "magic")
    assert done.status == 2


def test_a_fact_of_an_answer_is_kept_and_taken_back(
    call: Call, notes: Path, tmp_path: Path
) -> None:
    graph = graph_of([fact("Ann", "design", "Tower", evidence=said("a", "Ann designed it"))])
    conversations = Conversations(tmp_path / "home" / "conversations.sqlite")
    conversation = conversations.start()
    conversations.begin_turn(conversation, "turn1", "Who designed it?")
    started = TurnStarted("turn1", conversation, "Who designed it?", "notes", "2026-01-01T00:00:00")
    events = [started, *(GraphChanged(batch) for batch in graph.log)]
    conversations.end_turn("turn1", "done", "Ann", events)
    (identity,) = [f.id for f in graph.facts()]
    kept = call("graph", "keep", identity, "--conversation", conversation)
    assert kept.status == 0 and "'notes' as change 1" in kept.out
    page = call("graph", "show", "Tower", "--index", "notes", "--json").json
    assert [f["relation"] for f in page["facts"]] == ["design"]
    assert call("graph", "undo", "--index", "notes").status == 0
    assert call("graph", "show", "Tower", "--index", "notes").status == 2
    assert call("graph", "keep", "nofact", "--turn", "turn1").status == 1
    assert call("graph", "keep", identity).status == 2
