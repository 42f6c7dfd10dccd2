"""What a person does to an index's graph stays through syncs, can be undone, and leaves with its
documents."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import GraphError
from assistant.thoughts.changes import ObsoleteEdge
from assistant.thoughts.model import Evidence, Fact, Node, fact_id, make_fact, node_id
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.persistent.schema import GRAPH_FILE
from assistant.thoughts.persistent.sync import SyncResult, sync
from assistant.thoughts.writing import merging
from tests.fast.thoughts.toy import ToyExtractor, store_of

TEXTS = {
    "Ann": "Ann is a pilot. Ann met Bob Brown.",
    "Bob": "Bob Brown is a baker. Bob met Cy.",
    "Lyon": "Dee met Cy. They all lived there.",
}


@pytest.fixture
def graph(tmp_path: Path) -> KnowledgeGraph:
    made = KnowledgeGraph(tmp_path / GRAPH_FILE)
    _sync(made, TEXTS)
    return made


def _sync(graph: KnowledgeGraph, texts: dict[str, str]) -> SyncResult:
    return sync(graph.path, store_of(graph.path.parent, texts), ToyExtractor())


def _fact(graph: KnowledgeGraph, relation: str, subject: str) -> Fact:
    (found,) = [
        f for f in graph.neighbourhood([subject]) if f.relation == relation and f.subject == subject
    ]
    return found


def _lived(passage: str) -> tuple[Fact, list[Node]]:
    """What no rule of the toy extractor finds."""
    nodes = [Node(node_id("entity", name), "entity", name) for name in ("Dee", "Lyon")]
    evidence = Evidence("passage", passage, "They all lived there.", 12, 33)
    return make_fact(nodes[0].id, "live in", nodes[1].id, evidence=(evidence,)), nodes


def _lyon(graph: KnowledgeGraph) -> str:
    return graph.links().passages_about("entity:lyon")[0]


def _merge(graph: KnowledgeGraph, keep: str, drop: str) -> None:
    whole = graph.whole_graph()
    graph.apply(merging(whole, keep, drop).changes, author="person", reason="the same")


def test_a_retracted_fact_is_obsolete_until_undone(graph: KnowledgeGraph) -> None:
    fact = _fact(graph, "is a", "entity:ann")
    graph.apply([ObsoleteEdge(fact.id, "she retired")], author="person", reason="wrong")
    assert fact.id not in {f.id for f in graph.neighbourhood(["entity:ann"])}
    page = graph.entity("entity:ann")
    assert page is not None
    assert page.as_subject[-1].obsolete == "she retired"
    assert page.as_subject[-1].evidence == fact.evidence
    _sync(graph, {**TEXTS, "More": "Ann is a pilot."})
    page = graph.entity("entity:ann")
    assert page is not None
    (obsolete,) = [f for f in page.facts if f.obsolete]
    assert len(obsolete.evidence) == 2
    assert graph.undo().reason == "wrong"
    assert _fact(graph, "is a", "entity:ann").obsolete == ""
    assert graph.redo().reason == "wrong"
    assert graph.revert(1).reason == "takes back 1: wrong"
    assert _fact(graph, "is a", "entity:ann").obsolete == ""
    assert [batch.number for batch in graph.log()] == [1, 2]


def test_merged_nodes_are_one_also_in_what_is_read_later(graph: KnowledgeGraph) -> None:
    _merge(graph, "entity:bob brown", "entity:bob")
    _sync(graph, {**TEXTS, "New": "Bob is a singer. Eve met Bob."})
    page = graph.entity("entity:bob")
    assert page is not None
    assert (page.node.id, page.node.aliases) == ("entity:bob brown", ("Bob",))
    assert {f.object for f in page.as_subject} == {"entity:baker", "entity:cy", "entity:singer"}
    assert {f.subject for f in page.as_object} == {"entity:ann", "entity:eve"}
    assert len(page.passages) == 3
    assert [n.id for n in graph.entities_named("Bob")] == ["entity:bob brown"]
    assert [n.id for n in graph.search("bob")] == ["entity:bob brown"]
    whole = graph.whole_graph()
    assert "entity:bob" not in whole
    assert len(list(whole.facts_of("entity:bob brown"))) == 5
    graph.undo()
    again = graph.entity("entity:bob")
    assert again is not None and again.node.id == "entity:bob"
    assert {f.object for f in again.as_subject} == {"entity:cy", "entity:singer"}


def test_a_promoted_fact_appears_with_its_sentence(graph: KnowledgeGraph) -> None:
    fact, nodes = _lived(_lyon(graph))
    graph.promote([fact], nodes, "checked")
    assert fact in graph.neighbourhood(["entity:lyon"])
    assert _sync(graph, {**TEXTS, "New": "Eve met Dee."}).demoted == 0
    assert fact in graph.neighbourhood(["entity:dee"])
    assert {f.relation for f in graph.neighbourhood(["entity:dee"])} == {"met", "live in"}
    with pytest.raises(GraphError):
        graph.promote([fact], nodes, "again")
    assert len(graph.log()) == 1


def test_a_promoted_fact_leaves_with_its_document_without_a_trace(graph: KnowledgeGraph) -> None:
    fact, nodes = _lived(_lyon(graph))
    graph.promote([fact], nodes, "of a secret place")
    derived = _fact(graph, "is a", "entity:ann")
    graph.apply([ObsoleteEdge(derived.id, "wrong")], author="person", reason="kept")
    graph.undo()
    graph.redo()
    rest = {title: text for title, text in TEXTS.items() if title != "Lyon"}
    assert _sync(graph, rest).demoted == 1
    assert [(b.number, b.reason) for b in graph.log()] == [(1, "kept")]
    left = b"".join(p.read_bytes() for p in graph.path.parent.glob(f"{GRAPH_FILE}*"))
    for trace in (b"They all lived", b"live in", b"secret place", b"lyon", b"Lyon"):
        assert trace not in left
    assert graph.entity("entity:lyon") is None


def test_a_sentence_that_is_edited_out_takes_its_fact_along(graph: KnowledgeGraph) -> None:
    fact, nodes = _lived(_lyon(graph))
    graph.promote([fact], nodes, "checked")
    assert _sync(graph, {**TEXTS, "Lyon": "Dee met Cy. It rained."}).demoted == 1
    assert graph.log() == ()


def test_a_retraction_goes_when_nothing_says_the_fact_any_more(graph: KnowledgeGraph) -> None:
    fact = _fact(graph, "is a", "entity:ann")
    graph.apply([ObsoleteEdge(fact.id, "no")], author="person", reason="wrong")
    _merge(graph, "entity:bob brown", "entity:bob")
    _sync(graph, {"Bob": TEXTS["Bob"]})
    assert [batch.reason for batch in graph.log()] == ["the same"]
    assert graph.entity("entity:ann") is None
    _sync(graph, {"Cy": "Cy met Eve."})
    assert graph.log() == ()


def test_what_does_not_fit_changes_nothing(graph: KnowledgeGraph) -> None:
    fact, _ = _lived(_lyon(graph))
    refused = [
        lambda: graph.apply([ObsoleteEdge("0" * 12, "x")], author="person", reason="x"),
        lambda: graph.apply([], author="person", reason="x"),
        lambda: graph.promote([fact], [], "without its ends"),
        lambda: graph.promote([], [], "nothing"),
        lambda: graph.revert(1),
        graph.undo,
        graph.redo,
    ]
    for call in refused:
        with pytest.raises(GraphError):
            call()
    assert graph.log() == ()


def test_undone_changes_are_forgotten_by_a_new_one(graph: KnowledgeGraph) -> None:
    fact = _fact(graph, "is a", "entity:ann")
    graph.apply([ObsoleteEdge(fact.id, "a")], author="person", reason="a")
    graph.undo()
    graph.apply([ObsoleteEdge(fact.id, "b")], author="person", reason="b")
    with pytest.raises(GraphError):
        graph.redo()
    assert [batch.reason for batch in graph.log()] == ["b"]


_steps = st.lists(st.sampled_from(["retract", "merge", "undo", "redo", "revert"]), max_size=6)


@given(_steps)
@settings(max_examples=25, deadline=None)
def test_undoing_everything_gives_what_the_documents_say(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        graph = KnowledgeGraph(Path(name) / GRAPH_FILE)
        _sync(graph, TEXTS)
        before = graph.whole_graph().snapshot()
        for step in steps:
            try:
                _do(graph, step)
            except GraphError:
                continue
            _sync(graph, TEXTS)  # changes nothing of it
        log = graph.log()
        assert [batch.number for batch in log] == list(range(1, len(log) + 1))
        for _ in log:
            graph.undo()
        assert graph.whole_graph().snapshot() == before


def _do(graph: KnowledgeGraph, step: str) -> None:
    if step == "retract":
        pilot = fact_id("entity:ann", "is a", "entity:pilot")
        graph.apply([ObsoleteEdge(pilot, "no")], author="person", reason="no")
    elif step == "merge":
        _merge(graph, "entity:bob brown", "entity:bob")
    elif step == "revert":
        graph.revert(max(1, len(graph.log())))
    else:
        getattr(graph, step)()
