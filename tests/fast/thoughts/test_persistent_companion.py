"""The graph follows its index, and never stands in its way."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import ModelMissingError
from assistant.settings import load_settings
from assistant.thoughts.knowledge import NowReader
from assistant.thoughts.persistent.companion import GraphCompanion, check_graph, serves
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.persistent.schema import GRAPH_FILE, reading, writing
from assistant.workspace import Workspace
from indexes.build import IndexWriter
from indexes.corpora import open_source
from indexes.manifest import Manifest, read_manifest
from indexes.progress import Progress
from tests.fast.indexes.sources import HashedEncoders, MemorySource
from tests.fast.thoughts.toy import ToyExtractor

TEXTS: dict[str, str | None] = {"a": "Ann met Bob.", "b": "Cy is a baker.", "c": "Dee met Ann."}


class _Failing:
    def follow(self, folder: Path, manifest: Manifest) -> tuple[str, ...]:
        raise ValueError("no luck")


def _writer(folder: Path, *more: object, seen: list[Progress] | None = None) -> IndexWriter:
    def hear(progress: Progress) -> None:
        if seen is not None:
            seen.append(progress)

    companions = [*more, GraphCompanion(ToyExtractor(), hear)]
    return IndexWriter(folder, HashedEncoders(), companions=companions)  # type: ignore[arg-type]


def test_it_follows_every_change_of_the_index(tmp_path: Path) -> None:
    folder, seen = tmp_path / "notes", []
    result = _writer(folder, seen=seen).build([MemorySource(TEXTS)])
    graph = KnowledgeGraph(folder / GRAPH_FILE)
    assert (graph.generation, result.notes) == (result.manifest.generation, ())
    assert [(p.stage, p.done, p.total) for p in seen] == [("graph", 3, 3)]
    assert graph.entity("entity:bob") is not None
    changed = _writer(folder).build([MemorySource({**TEXTS, "a": "Ann met Eve."})])
    assert graph.generation == changed.manifest.generation
    assert (graph.entity("entity:bob"), graph.counts().facts) == (None, 3)
    deleted = _writer(folder).delete_documents(["c"])
    assert graph.generation == deleted.manifest.generation
    assert graph.entity("entity:dee") is None
    assert all(finding.ok for finding in check_graph(folder, deleted.manifest))


def test_a_missing_graph_is_made_when_nothing_has_changed(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    IndexWriter(folder, HashedEncoders()).build([MemorySource(TEXTS)])
    (finding,) = check_graph(folder, read_manifest(folder))
    assert (finding.ok, finding.message) == (True, "there is none")
    _writer(folder).build([MemorySource(TEXTS)])
    assert KnowledgeGraph(folder / GRAPH_FILE).counts().facts == 3


def test_one_that_fails_is_noted_and_fails_nothing(tmp_path: Path) -> None:
    result = _writer(tmp_path / "notes", _Failing()).build([MemorySource(TEXTS)])
    assert result.notes == ("ValueError: no luck",)
    assert result.manifest.missing_stages == ()
    assert KnowledgeGraph(tmp_path / "notes" / GRAPH_FILE).counts().passages == 3


def test_it_goes_with_its_index(tmp_path: Path) -> None:
    _writer(tmp_path / "notes").build([MemorySource(TEXTS)])
    _writer(tmp_path / "notes").delete_index()
    assert not (tmp_path / "notes").exists()


def test_a_wrong_graph_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    manifest = read_manifest(folder)
    with writing(folder / GRAPH_FILE) as db, db:
        db.execute("DELETE FROM entities WHERE id = 'entity:ann'")
    (finding,) = check_graph(folder, manifest)
    assert not finding.ok and "not there" in finding.message and "update notes" in finding.remedy
    (folder / GRAPH_FILE).write_bytes(b"no database at all, but long enough to be read as one" * 99)
    (finding,) = check_graph(folder, manifest)
    assert not finding.ok and "damaged" in finding.message
    result = _writer(folder).build([MemorySource({**TEXTS, "d": "Eve met Dee."})])
    assert result.manifest.documents == 4
    assert "damaged" in result.notes[0] and f"delete {folder / GRAPH_FILE}" in result.notes[0]


def test_an_old_graph_serves_while_it_is_nearly_right(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    graph = KnowledgeGraph(folder / GRAPH_FILE)
    more = {**TEXTS, **{f"n{i}": f"Ann met Bob{i}." for i in range(9)}}
    few = IndexWriter(folder, HashedEncoders()).build([MemorySource(TEXTS | {"d": "Eve sang."})])
    assert not serves(graph, few.manifest)
    _writer(folder).build([MemorySource(more)])
    late = IndexWriter(folder, HashedEncoders()).build([MemorySource(more | {"d": "Eve sang."})])
    assert graph.generation != late.manifest.generation and serves(graph, late.manifest)
    (finding,) = check_graph(folder, late.manifest)
    assert finding.ok and "earlier state" in finding.message


def test_an_interrupted_write_is_not_seen(tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    with pytest.raises(RuntimeError), writing(path) as db:
        db.execute("INSERT INTO meta VALUES ('half', 'done')")
        raise RuntimeError
    with reading(path) as db:
        assert db.execute("SELECT 1 FROM meta WHERE key = 'half'").fetchone() is None


def test_without_the_parser_an_index_has_no_graph(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.md").write_text("Ann met Bob.", encoding="utf-8")
    workspace = Workspace(load_settings({}, home=tmp_path / "home"))
    with pytest.raises(ModelMissingError):  # of the encoders; lexical search works
        workspace.writer("notes").build([open_source(str(tmp_path / "texts"))])
    assert workspace.graph("notes") is None
    with pytest.raises(ModelMissingError):
        workspace.knowledge("notes")


def test_with_the_parser_the_graph_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(load_settings({}, home=tmp_path / "home"))
    monkeypatch.setattr(Workspace, "encoders", HashedEncoders())
    folder = workspace.index_folder("notes")
    IndexWriter(folder, HashedEncoders()).build([MemorySource(TEXTS)])
    (workspace.models.folder / workspace.parser.name).mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(type(workspace.parser), "folder", tmp_path)
    monkeypatch.setattr(type(workspace.parser), "installed", True)
    assert isinstance(workspace.knowledge("notes"), NowReader)
    _writer(folder).build([MemorySource(TEXTS)])
    graph = workspace.knowledge("notes")
    assert isinstance(graph, KnowledgeGraph)
    assert workspace.knowledge("notes") is graph
