"""The derived layer of an index's graph always equals what its documents say."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import GraphError, IndexFormatError, StorageError
from assistant.thoughts.knowledge import NowReader, mentions_of
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.persistent.schema import GRAPH_FILE
from assistant.thoughts.persistent.sync import BATCH, sync
from assistant.thoughts.ranking import Links
from indexes.progress import Progress
from tests.fast.thoughts.toy import ToyExtractor, store_of

TEXTS = {
    "Ann (pilot)": "Ann is a pilot. Ann met Bob Brown.",
    "Bob": "Bob Brown is a baker. bob brown is a man. Ann met Cy.",
    "Cy": "Cy met Dee in Lyon.",
}


def _content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All of the derived layer, without the file's own numbers."""
    db = sqlite3.connect(path)
    statements = {
        "passages": "SELECT id, document_id, key, extractor, stamp FROM passages",
        "extractions": "SELECT * FROM extractions",
        "entities": "SELECT id, label, type FROM entities",
        "words": "SELECT word, id FROM words JOIN entities ON row = entity",
        "mentions": "SELECT p.id, e.id, about FROM mentions JOIN passages p ON p.row = passage "
        "JOIN entities e ON e.row = entity",
        "surfaces": "SELECT p.id, e.id, s.label, s.type, count FROM surfaces s "
        "JOIN passages p ON p.row = passage JOIN entities e ON e.row = entity",
        "facts": 'SELECT p.id, f.id, s.id, relation, o.id, f.start, f."end", quote, confidence, '
        "negated, hedged FROM facts f JOIN passages p ON p.row = f.passage "
        'JOIN sentences t ON t.passage = f.passage AND t.start = f.start AND t."end" = f."end" '
        "JOIN entities s ON s.row = subject JOIN entities o ON o.row = object",
        "rows": "SELECT (SELECT count(*) FROM surfaces), (SELECT count(*) FROM mentions), "
        "(SELECT count(*) FROM facts), (SELECT count(*) FROM words), "
        "(SELECT count(*) FROM sentences)",
        "meta": "SELECT * FROM meta WHERE key <> 'revision'",
    }
    found = {name: sorted(db.execute(text).fetchall()) for name, text in statements.items()}
    db.close()
    return found


def _bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob(f"{GRAPH_FILE}*"))


def test_an_entity_has_its_facts_with_their_sentences(tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    result = sync(path, store_of(tmp_path, TEXTS), ToyExtractor(), generation="g000001")
    graph = KnowledgeGraph(path)
    page = graph.entity("entity:bob brown")
    assert page is not None
    assert (page.node.label, page.node.type) == ("Bob Brown", "person")
    assert {(f.relation, f.object) for f in page.as_subject} == {("is a", "entity:baker")}
    (met,) = page.as_object
    assert (met.subject, met.relation, met.evidence[0].quote) == (
        "entity:ann",
        "met",
        "Ann met Bob Brown",
    )
    assert len(page.passages) == 2
    assert (result.extracted, result.written, graph.generation) == (3, 3, "g000001")
    assert graph.entity("entity:nobody") is None
    assert graph.counts().passages == 3


def test_nodes_are_found_by_name_and_by_beginnings_of_words(tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    sync(path, store_of(tmp_path, TEXTS), ToyExtractor())
    graph = KnowledgeGraph(path)
    assert [n.id for n in graph.entities_named("The BOB Brown")] == ["entity:bob brown"]
    assert [n.id for n in graph.search("bro bo")] == ["entity:bob brown"]
    assert {n.id for n in graph.search("bo")} == {"entity:bob brown", "entity:bob"}
    assert graph.search("") == graph.search("%") == graph.entities_named(" ") == []
    around = graph.neighbourhood(["entity:cy"])
    assert {f.relation for f in around} == {"met"}
    assert {e for f in around for e in (f.subject, f.object)} == {
        "entity:ann",
        "entity:cy",
        "entity:dee",
    }
    assert len(graph.neighbourhood(["entity:cy"], limit=1)) == 1


def test_the_walk_is_the_same_as_from_reading_on_the_spot(tmp_path: Path) -> None:
    path, store, extractor = tmp_path / GRAPH_FILE, store_of(tmp_path, TEXTS), ToyExtractor()
    sync(path, store, extractor)
    passages = list(store.passages())
    graph, spot = KnowledgeGraph(path), NowReader(extractor)
    assert graph.extractions(passages) == spot.extractions(passages)
    expected = Links(list(mentions_of(passages, spot.extractions(passages))))
    found = graph.links(passages)
    assert (found.passages, found.entities) == (expected.passages, expected.entities)
    assert (found.matrix != expected.matrix).nnz == 0
    seeds = {passages[0].id: 1.0}
    assert found.walk(seeds, onward=0.5) == expected.walk(seeds, onward=0.5)
    assert graph.links(passages) is found
    sync(path, store_of(tmp_path, {"Cy": TEXTS["Cy"]}), extractor)
    assert len(graph.links(passages)) == 1
    for file in tmp_path.glob(f"{GRAPH_FILE}*"):
        file.unlink()
    sync(path, store, extractor)  # made anew, in as many steps
    assert len(graph.links(passages)) == 3


def test_what_is_not_in_the_file_is_read_by_the_fallback(tmp_path: Path) -> None:
    path, extractor = tmp_path / GRAPH_FILE, ToyExtractor()
    sync(path, store_of(tmp_path, {"Cy": TEXTS["Cy"]}), extractor)
    passages = list(store_of(tmp_path, TEXTS).passages())
    without = KnowledgeGraph(path).extractions(passages)
    assert [bool(e.mentions) for e in without] == [p.title == "Cy" for p in passages]
    extractor.read.clear()
    found = KnowledgeGraph(path, NowReader(extractor)).extractions(passages)
    assert all(e.mentions and e.passage_id == p.id for e, p in zip(found, passages, strict=True))
    assert sorted(extractor.read) == sorted(p.text for p in passages if p.title != "Cy")


def test_equal_text_is_read_once(tmp_path: Path) -> None:
    path, extractor = tmp_path / GRAPH_FILE, ToyExtractor()
    sync(path, store_of(tmp_path, TEXTS), extractor)
    extractor.read.clear()
    changed = {**TEXTS, "Cy": "Cy met Eve in Lyon."}
    assert sync(path, store_of(tmp_path, changed), extractor).extracted == 1
    assert extractor.read == ["Cy met Eve in Lyon."]
    again = sync(path, store_of(tmp_path, changed), extractor, thorough=True)
    assert (again.extracted, again.written, again.removed) == (0, 0, 0)
    other = ToyExtractor("toy-2")
    assert sync(path, store_of(tmp_path, changed), other).extracted == 3


_names = st.sampled_from(["Ann", "Bob", "Cy", "Dee"])
_sentences = st.builds("{} {} {}.".format, _names, st.sampled_from(["met", "is a"]), _names)
_texts = st.lists(_sentences, min_size=1, max_size=3).map(" ".join)
_states = st.lists(st.dictionaries(_names, _texts, max_size=4), min_size=1, max_size=5)


@given(_states)
@settings(max_examples=40, deadline=None)
def test_any_history_ends_in_the_graph_of_the_last_state(states: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for texts in states:
            sync(folder / GRAPH_FILE, store_of(folder, texts), ToyExtractor(), generation="g")
        fresh = folder / "fresh.sqlite"
        sync(fresh, store_of(folder, states[-1]), ToyExtractor(), generation="g")
        assert _content(folder / GRAPH_FILE) == _content(fresh)


def test_a_killed_sync_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    texts = {f"T{n}": f"Ann met Bob{n}. Ann is a pilot{n}." for n in range(3 * BATCH)}
    store, reads = store_of(tmp_path, texts), []

    def killed() -> None:
        reads.append(1)
        if len(reads) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(path, store, ToyExtractor(before=killed), generation="g1")
    graph = KnowledgeGraph(path)
    assert (graph.generation, graph.counts().passages) == ("", 2 * BATCH)
    assert sync(path, store, ToyExtractor(), generation="g1").extracted == BATCH
    fresh = tmp_path / "fresh.sqlite"
    sync(fresh, store, ToyExtractor(), generation="g1")
    assert _content(path) == _content(fresh)


def test_documents_that_leave_leave_no_trace(tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    texts = {f"T{n}": f"Ann met Bob{n}. Secretia{n} is a spy{n}." for n in range(500)}
    sync(path, store_of(tmp_path, texts), ToyExtractor())
    assert b"Secretia7" in _bytes(tmp_path)
    kept = {title: text for title, text in texts.items() if not title.endswith("7")}
    kept["T8"] = "Ann met Bob8."
    result = sync(path, store_of(tmp_path, kept), ToyExtractor())
    assert result.removed == 50
    left = _bytes(tmp_path).lower()
    assert b"secretia9" in left
    # A name may stand before any other byte: "secretia17" begins "secretia170", which stays.
    for trace in (b"secretia7 is", b"secretia8 is", b"spy497", b"secretia497", b'"secretia7"'):
        assert trace not in left
    assert KnowledgeGraph(path).entity("entity:secretia7") is None
    assert KnowledgeGraph(path).entity("entity:ann") is not None


def test_readers_go_on_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / GRAPH_FILE
    sync(path, store_of(tmp_path, TEXTS), ToyExtractor(), generation="g1")
    graph, seen, failed = KnowledgeGraph(path), [], []

    def read() -> None:
        try:
            page = graph.entity("entity:ann", limit=1_000)
            seen.append((graph.generation, len(page.facts) if page else 0))
        except Exception as error:  # noqa: BLE001 - shown below
            failed.append(error)

    def during(progress: Progress) -> None:
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    texts = {f"T{n}": f"Ann met Bob{n}." for n in range(2 * BATCH)}
    sync(path, store_of(tmp_path, texts), ToyExtractor(), during, generation="g2")
    assert failed == []
    assert sorted(seen) == [("g1", BATCH)] * 4 + [("g1", 2 * BATCH)] * 4
    assert graph.generation == "g2"


def test_a_missing_and_a_foreign_file_are_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="has no graph"):
        KnowledgeGraph(tmp_path / GRAPH_FILE).counts()
    with pytest.raises(GraphError, match="has no graph"):
        KnowledgeGraph(tmp_path / GRAPH_FILE).undo()
    assert not (tmp_path / GRAPH_FILE).exists()
    path = tmp_path / GRAPH_FILE
    sync(path, store_of(tmp_path, TEXTS), ToyExtractor())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    with pytest.raises(IndexFormatError, match="format 99"):
        KnowledgeGraph(path).counts()


def test_a_locked_file_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / GRAPH_FILE
    sync(path, store_of(tmp_path, TEXTS), ToyExtractor())
    connect = sqlite3.connect
    impatient = lambda *args, **options: connect(*args, **{**options, "timeout": 0.01})  # noqa: E731
    monkeypatch.setattr("assistant.side_file.sqlite3.connect", impatient)
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="in use"):
        sync(path, store_of(tmp_path, {}), ToyExtractor())
    assert KnowledgeGraph(path).counts().passages == 3
    other.close()


@pytest.mark.parametrize("name", ["X" * 5_000, "E\u0301t\u00e9", "A\x00b"])
def test_odd_names_are_bounded(tmp_path: Path, name: str) -> None:
    path = tmp_path / GRAPH_FILE
    store = store_of(tmp_path, {"Odd": f"{name} is a thing. Ann met {name}.", "E": ""})
    sync(path, store, ToyExtractor())
    graph = KnowledgeGraph(path)
    passages = list(store.passages())
    assert len(graph.links(passages)) >= 1
    for entity in graph.links(passages).entities:
        page = graph.entity(entity)
        assert page is None or len(page.node.label) <= 200
