"""The graph of an index, read from real sentences by the rules."""

from __future__ import annotations

import pytest

from assistant.settings import Settings
from assistant.thoughts.extraction import deterministic
from assistant.thoughts.extraction.deterministic import DeterministicExtractor
from assistant.thoughts.extraction.types import Source
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.workspace import Workspace
from tests.conftest import weights
from tests.fast.indexes.sources import HashedEncoders, MemorySource

pytestmark = pytest.mark.integration

TEXTS: dict[str, str | None] = {
    "tower": "The Eiffel Tower was designed by Stephen Sauvestre. It stands in Paris.",
    "man": "Stephen Sauvestre was a French architect. He was born in Bonnétable in 1847.",
}


@pytest.fixture
def workspace(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    weights("en-core-web-sm")
    monkeypatch.setattr(Workspace, "encoders", HashedEncoders())
    return Workspace(settings)


def test_the_graph_comes_with_the_index(workspace: Workspace) -> None:
    result = workspace.writer("notes").build([MemorySource(TEXTS)])
    assert result.notes == ()
    graph = workspace.knowledge("notes")
    assert isinstance(graph, KnowledgeGraph)
    page = graph.entity("entity:stephen sauvestre")
    assert page is not None
    assert (page.node.label, page.node.type) == ("Stephen Sauvestre", "person")
    quotes = {e.quote for f in page.facts for e in f.evidence}
    assert "The Eiffel Tower was designed by Stephen Sauvestre." in quotes
    passages = list(workspace.index("notes").store.passages())
    at = {p.id: p.text for p in passages}
    for fact in page.facts:
        for item in fact.evidence:
            assert at[item.source][item.start : item.end] == item.quote
    workspace.writer("notes").delete_documents(["tower"])
    assert graph.entity("entity:eiffel tower") is None


def test_worker_processes_give_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [Source(f"p{n}", text or "", title) for n, (title, text) in enumerate(TEXTS.items())]
    alone = DeterministicExtractor(workspace.parser).extract(sources)
    monkeypatch.setattr(deterministic, "_MANY", 1)
    monkeypatch.setattr(deterministic, "_SMALL_CHUNK", 1)
    spread = DeterministicExtractor(workspace.parser, processes=2)
    with spread.workers():
        first = spread.extract(sources)
        assert spread.extract(sources) == first == alone
    assert spread.extract(sources) == alone
