"""`assistant graph`: the graph of an answer, and one that can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.events import GraphChanged
from assistant.settings import load_settings
from assistant.thoughts.changes import (
    BATCHES,
    CreateEdge,
    CreateNode,
    ObsoleteEdge,
    ReviseNode,
)
from assistant.thoughts.exchange import export, import_graph
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Node, make_fact
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.persistent.schema import GRAPH_FILE
from assistant.thoughts.persistent.sync import sync
from assistant.thoughts.replay import graph_of_events
from assistant.workspace import Workspace
from tests.fast.cli.conftest import Call
from tests.fast.thoughts.test_kgcl import FACT, MAN, TOWER, tower
from tests.fast.thoughts.toy import ToyExtractor, store_of

SLOT = Node("thought:who", "thought", "who designs it", status="wanted", why="asked")


class Kept(KnowledgeGraph):
    """The graph of an index without documents, and all of it at a glance."""

    @property
    def graph(self) -> ThoughtGraph:
        return self.changed_graph()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    made = Kept(tmp_path / GRAPH_FILE)
    sync(made.path, store_of(tmp_path, {}), ToyExtractor())
    for batch in tower().log:
        made.apply(batch.changes, author=batch.author, reason=batch.reason)
    monkeypatch.setattr("assistant.cli.graph_places.index_graph", lambda workspace, name: made)
    return made


@pytest.fixture
def answered() -> ThoughtGraph:
    graph = ThoughtGraph()
    graph.apply([CreateNode(SLOT)], author="rule", reason="what has to be known")
    graph.apply(tower().log[0].changes, author="rule", reason="read h12", step=1)
    known = Node(SLOT.id, "thought", SLOT.label, status="known", why="Stephen Sauvestre")
    graph.apply([ReviseNode(SLOT, known)], author="rule", reason="it is known", step=1)
    return graph


@pytest.fixture
def conversation(tmp_path: Path, answered: ThoughtGraph) -> str:
    """A conversation with an answered turn "t1", one without a graph, and a stopped one."""
    opened = Workspace(load_settings({}, home=tmp_path / "home", environ={})).conversations
    identity = opened.start()
    events = [GraphChanged(batch) for batch in answered.log]
    turns = (("t0", "done", []), ("t1", "done", events), ("t2", "stopped", []))
    for turn, state, its_events in turns:
        opened.begin_turn(identity, turn, f"Who designed the tower? ({turn})")
        opened.end_turn(turn, state, "Sauvestre.", its_events)
    opened.close()
    return identity


def test_the_events_of_a_turn_give_its_graph(answered: ThoughtGraph) -> None:
    events = [GraphChanged(batch) for batch in answered.log]
    assert graph_of_events(events).log == answered.log
    assert graph_of_events([]).log == ()


def test_the_log_of_an_answer(call: Call, conversation: str, answered: ThoughtGraph) -> None:
    by_turn = call("graph", "log", "--turn", "t1")
    assert by_turn.status == 0
    assert by_turn.out.split("\n") == [
        "1. rule, step 0: what has to be known",
        "   - new thought: who designs it",
        "2. rule, step 1: read h12",
        "   - new entity (building): Eiffel Tower",
        "   - new entity: Stephen Sauvestre",
        "   - new fact: Stephen Sauvestre designs Eiffel Tower (1889–) [h12]",
        "3. rule, step 1: it is known",
        "   - who designs it: status wanted → known; why asked → Stephen Sauvestre",
        "",
    ]
    assert call("graph", "log", "--conversation", conversation).out == by_turn.out
    assert call("graph", "log", "--turn", "t1", "--last", "1").out.startswith("3. rule")
    plain = call("graph", "log", "--turn", "t1", "--json").json["batches"]
    assert tuple(BATCHES.validate_python(plain)) == answered.log


def test_what_an_answer_holds(call: Call, conversation: str) -> None:
    shown = call("graph", "show", "--conversation", conversation)
    assert shown.out.split("\n") == [
        "the graph of the answer to 'Who designed the tower? (t1)':"
        " 2 entities, 0 values, 0 passages, 1 facts, 3 changes",
        "known: who designs it (Stephen Sauvestre)",
        "- Stephen Sauvestre designs Eiffel Tower (1889–) [h12]",
        "    h12: “Sauvestre designed it.”",
        "",
    ]
    values = call("graph", "show", "--turn", "t1", "--json").json
    assert values["counts"] == {"entity": 2, "value": 0, "passage": 0, "thought": 1, "fact": 1}
    assert values["thoughts"][0]["status"] == "known"
    assert values["facts"][0]["words"].startswith("Stephen Sauvestre designs")
    assert values["facts"][0]["evidence"][0]["start"] == 4


def test_contradictions_are_shown(call: Call, kept: Kept) -> None:
    denied = make_fact(MAN.id, FACT.relation, TOWER.id, negated=True)
    kept.apply([CreateEdge(denied)], author="rule", reason="read h13")
    shown = call("graph", "show").out
    assert "contradiction: Stephen Sauvestre design Eiffel Tower: said and denied" in shown
    (found,) = call("graph", "show", "--json").json["contradictions"]
    assert (found["kind"], set(found["facts"])) == ("negated", {FACT.id, denied.id})


def test_a_page_of_an_entity(call: Call, kept: Kept) -> None:
    kept.apply([ObsoleteEdge(FACT.id, "a draft")], author="person", reason="read again")
    for name in ("Eiffel Tower", "the eiffel tower", "entity:eiffel tower"):
        shown = call("graph", "show", name)
        assert shown.out.startswith("Eiffel Tower (building), entity:eiffel tower\n- Stephen")
        assert "(no longer counts: a draft)" in shown.out
    page = call("graph", "show", "Eiffel Tower", "--json").json
    assert page["entity"]["label"] == "Eiffel Tower"
    assert page["facts"][0]["obsolete"] == "a draft"
    unknown = call("graph", "show", "Eifel Tower")
    assert (unknown.status, "did you mean 'Eiffel Tower'?" in unknown.err) == (2, True)


def test_undo_redo_and_take_back(call: Call, kept: Kept) -> None:
    full = kept.graph.snapshot()
    assert call("graph", "undo").out == "undone: 1. read h12 (3 changes)\n"
    assert len(kept.graph) == 0
    assert call("graph", "undo").status == 1
    assert call("graph", "redo", "--json").json["redone"]["reason"] == "read h12"
    assert kept.graph.snapshot() == full
    kept.apply([ObsoleteEdge(FACT.id, "a draft")], author="person", reason="read again")
    kept.apply([CreateNode(SLOT)], author="rule", reason="more")
    refused = call("graph", "undo", "1")
    assert (refused.status, "cannot be taken back alone" in refused.err) == (1, True)
    back = call("graph", "undo", "2")
    assert back.out == "undone: 4. takes back 2: read again (1 changes)\n"
    assert next(kept.graph.facts()) == FACT


def test_an_answer_cannot_be_changed(call: Call, conversation: str) -> None:
    for command in ("undo", "redo"):
        done = call("graph", command, "--turn", "t1")
        assert done.status == 1
        assert "cannot be changed" in done.err and "--index NAME" in done.err


@pytest.mark.parametrize(
    ("format", "ending"),
    [("graphml", ".graphml"), ("jsonld", ".json"), ("kgcl", ".kgcl"), ("mermaid", ".mmd")],
)
def test_export(
    call: Call,
    conversation: str,
    answered: ThoughtGraph,
    tmp_path: Path,
    format: str,
    ending: str,
) -> None:
    text = export(answered, format)
    assert call("graph", "export", "--turn", "t1", "--format", format).out == text
    file = tmp_path / f"graph{ending}"
    done = call("graph", "export", "--turn", "t1", "--out", file)
    assert "3 nodes and 1 facts written to" in done.out
    assert file.read_text(encoding="utf-8") == text
    values = call("graph", "export", "--turn", "t1", "--out", file, "--json").json
    assert (values["format"], values["file"]) == (format, str(file))


def test_import_adds_and_can_be_undone(call: Call, kept: Kept, tmp_path: Path) -> None:
    before = kept.graph.snapshot()
    file = tmp_path / "more.kgcl"
    file.write_text(
        "create node entity:eiffel_tower 'Tour Eiffel'\n"
        "create node entity:paris 'Paris'\n"
        "create edge entity:eiffel_tower located_in entity:paris\n",
        encoding="utf-8",
    )
    planned = call("graph", "import", file, "--dry-run")
    assert "new fact: Eiffel Tower is located in Paris" in planned.out
    assert kept.graph.snapshot() == before
    done = call("graph", "import", file)
    assert done.out == "imported: 2. imported from more.kgcl (3 changes)\n"
    assert kept.graph.node(TOWER.id).aliases == ("Tour Eiffel",)
    assert kept.graph.node(TOWER.id).label == "Eiffel Tower"
    assert call("graph", "import", file).out == "no difference\n"  # once
    call("graph", "undo")
    assert kept.graph.snapshot() == before


def test_an_export_imported_into_an_empty_graph_is_the_same(
    call: Call, kept: Kept, tmp_path: Path
) -> None:
    full = kept.graph.snapshot()
    for name in ("x.graphml", "x.jsonld", "x.kgcl"):
        call("graph", "export", "--out", tmp_path / name)
        call("graph", "undo")
        assert len(list(kept.graph.nodes())) == 0
        call("graph", "import", tmp_path / name)
        assert kept.graph.snapshot() == full
    assert import_graph((tmp_path / "x.kgcl").read_text(), "kgcl").snapshot() == full


def test_differences(call: Call, kept: Kept, tmp_path: Path) -> None:
    file = tmp_path / "before.jsonld"
    call("graph", "export", "--out", file)
    kept.apply([ObsoleteEdge(FACT.id, "a draft")], author="person", reason="read again")
    said = (
        "1 × obsolete edge\n- no longer counts:"
        " Stephen Sauvestre designs Eiffel Tower (1889–) (a draft)\n"
    )
    assert call("graph", "diff", file).out == said
    assert call("graph", "diff", "--from", "1").out == said
    assert call("graph", "diff", "--from", "2", "--to", "2").out == "no difference\n"
    (change,) = call("graph", "diff", "--from", "1", "--json").json["changes"]
    assert change == {"id": FACT.id, "reason": "a draft", "change": "obsolete edge"}
    assert "the last is 2" in call("graph", "diff", "--to", "3").err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["log", "--turn", "t"], 2, "unknown turn 't'"),
        (["log", "--turn", "t0"], 1, "was found without a graph"),
        (["log", "--conversation", "none"], 2, "unknown conversation"),
        (["log", "--turn", "t1", "--index", "x"], 2, "give one of --index"),
        (["log", "--index", "none"], 2, "none"),
        (["export", "--turn", "t1"], 2, "give --format: graphml, jsonld, kgcl, mermaid"),
        (["export", "--turn", "t1", "--format", "dot"], 2, "unknown format 'dot'"),
        (["export", "--turn", "t1", "--out", "/nowhere/x.kgcl"], 1, "cannot write"),
        (["import", "/nowhere/x.kgcl"], 2, "cannot read"),
        (["import", "x.mmd"], 2, "unknown format to import"),
    ],
)
def test_bad_input(
    call: Call,
    conversation: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.mmd").touch()
    done = call("graph", *arguments)
    assert (done.status, done.out) == (status, "")
    assert words in done.err and "what to do:" in done.err


@pytest.mark.parametrize("content", [b"\xff\xfe", b"<!DOCTYPE x []><graphml/>", b"{}"])
def test_a_bad_file_changes_nothing(call: Call, kept: Kept, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.graphml"
    file.write_bytes(content)
    assert call("graph", "import", file).status == 2
    assert kept.graph.snapshot() == tower().snapshot()


def test_labels_cannot_steer_the_terminal(call: Call, kept: Kept) -> None:
    evil = Node("entity:x", "entity", "\x1b[2J[red]x[/red]", description="\x1b]0;y\x07")
    kept.apply([CreateNode(evil)], author="model", reason="\x1b[2J")
    for arguments in (["log"], ["show"], ["show", "entity:x"], ["diff"], ["undo"]):
        done = call("graph", *arguments)
        assert done.status == 0 and "\x1b" not in done.out
        assert "[red]x" in done.out or arguments in (["show"], ["undo"])
