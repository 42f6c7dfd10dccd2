"""The graph of an answer, and of an index, as the page shows them."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.components.changes import told_changes
from app.components.chart import MOST_FACTS, MOST_NODES, Link, chart_spec, clicked, drawing_of
from app.components.effort import cost_text, efforts, has_model
from app.components.facts import source_of
from app.components.keeping import keep_fact, keeper
from app.components.thoughts import (
    answer_graph,
    drawing_of_answer,
    falling_lines,
    slot_lines,
)
from app.components.turn import steps_of, view_of
from assistant.events import (
    AnswerDone,
    Event,
    GraphChanged,
    PassagesFound,
    StepDecided,
    ThinkingDone,
    TurnStarted,
)
from assistant.settings import load_settings
from assistant.thoughts.changes import Change, CreateEdge, CreateNode, ReviseNode
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Evidence, Node, make_fact
from assistant.thoughts.persistent.companion import GraphCompanion
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.persistent.schema import GRAPH_FILE
from assistant.workspace import Workspace
from indexes.build import IndexWriter
from tests.fast.app.pages import VIEWS, captions, labels, markdown
from tests.fast.assistant.helpers import passage
from tests.fast.indexes.sources import HashedEncoders, MemorySource
from tests.fast.thoughts import graphs
from tests.fast.thoughts.graphs import entity, node
from tests.fast.thoughts.toy import ToyExtractor

QUOTE = "Ann designed the $5 and $6 bridge."
TEXT = f"Before. {QUOTE} After."
DESIGN = make_fact(
    entity("Ann"),
    "design",
    entity("bridge"),
    evidence=(Evidence("passage", "p1", QUOTE, 8, 8 + len(QUOTE)),),
)
BORN = make_fact(entity("Ann"), "born in", entity("Paris"), evidence=graphs.said("p2", "Ann …"))
OTHER = make_fact(entity("Ann"), "born in", entity("Rome"), evidence=graphs.said("p9", "Ann !"))
WHO = Node("thought:?1", "thought", "who designed the bridge", "", (), "", "wanted", "nothing yet")
WHERE = Node("thought:?answer", "thought", "where was ?1 born", "", (), "", "wanted", "nothing yet")


def batches(*groups: list[Change]) -> list[Event]:
    graph = ThoughtGraph()
    return [GraphChanged(graph.apply(group, author="rule", reason="test")) for group in groups]


def events(*, known: bool = True) -> list[Event]:
    """A turn that found out who designed it, and where she was born or not."""
    places = [replace(node(name), type="place") for name in ("Paris", "Rome")]
    started, read, who, where = batches(
        [CreateNode(WHO), CreateNode(WHERE)],
        [
            CreateNode(Node("passage:p1", "passage", "Bridge")),
            *map(CreateNode, (node("Ann"), node("bridge"), *places)),
            *map(CreateEdge, (DESIGN, BORN, OTHER)),
        ],
        [ReviseNode(WHO, replace(WHO, status="known", why=f"by {DESIGN.id}"))],
        [ReviseNode(WHERE, replace(WHERE, status="known", why=f"by {BORN.id}"))],
    )
    support = (DESIGN.id, BORN.id) if known else (DESIGN.id,)
    missing = () if known else ("where was Ann born",)
    first = (passage(1, TEXT, title="Bridge", start=100), passage(2, "Ann …", title="Ann"))
    again = (first[0], passage(2, "Kelp.", title="Kelp"))
    again = (again[0], dataclasses.replace(again[1], passage_id="p3"))
    return [
        TurnStarted("t1", "c", "Where was its designer born?", "notes", "2026-01-01T00:00:00"),
        PassagesFound(first, ("lexical",), (), 0.1),
        started,
        read,
        who,
        StepDecided("known", "who designed the bridge → Ann"),
        *([where, StepDecided("known", "where was Ann born → Paris")] if known else []),
        StepDecided("look for", "Ann where was"),
        StepDecided("not used", "it is not said"),
        StepDecided("vote", "1: Paris"),
        ThinkingDone("quick", "chain", 1, 0, 0, 1.25, support, missing, ("Ann where was",)),
        PassagesFound(again, ("lexical",), (), 1.2, "thinking"),
        AnswerDone("text", (), "extractive", True, True, "", (), {"total": 2.0}),
    ]


def test_steps_tell_what_was_thought() -> None:
    assert steps_of(events(known=False))[1:] == [
        "Found out: who designed the bridge → Ann",
        "Looked for: Ann where was",
        "Not used of what the model wrote: it is not said",
        "Another reading: 1: Paris",
        "Thought: 3 facts from 1 passage in 1.2 s; 1 of 2 things to know found out; "
        "still missing: “where was Ann born”",
        "Chose anew after thinking: 2 passages, 1 of them new",
    ]
    assert (
        view_of(events()).summary
        == "Searched, found 2 passages, gathered 3 facts, answered in 2.0 s"
    )


def test_a_passage_that_was_not_read_has_no_number() -> None:
    view = view_of(events())
    found = {i: p.number for i in ("p1", "p2", "p3") if (p := view.passage(i))}
    assert found == {"p1": 1, "p2": 0, "p3": 2}
    assert view.passage("p9") is None


def test_slots_are_known_by_a_fact_or_missing() -> None:
    view = view_of(events())
    who, where = slot_lines(view, answer_graph(view))
    assert who.endswith("who designed the bridge: Ann – Ann designs bridge")
    assert where.endswith("where was Ann born: Paris – Ann was born in Paris")
    view = view_of(events(known=False))
    assert slot_lines(view, answer_graph(view))[1].endswith("where was Ann born: **still missing**")


def test_what_falls_with_a_source() -> None:
    answer = answer_graph(view_of(events()))
    assert falling_lines(answer, {"p1": "Bridge", "p2": "Ann"}.__getitem__) == [
        "Without “Bridge”: Ann designs bridge",
        "Without “Ann”: Ann was born in Paris",
    ]


def test_the_supporting_part_is_highlighted_and_linked() -> None:
    drawing = drawing_of_answer(answer_graph(view_of(events())))
    assert {DESIGN.id, BORN.id, entity("Ann"), entity("Paris")} <= drawing.strong
    assert OTHER.id not in drawing.strong
    assert Link("thought:?answer", entity("Paris")) in drawing.links
    assert Link("passage:p1", entity("Ann")) in drawing.links
    (series,) = chart_spec(drawing)["series"]
    names = [line["label"]["formatter"] for line in series["links"][: len(drawing.facts)]]
    assert names == [fact.relation for fact in drawing.facts]


def test_a_click_is_a_fact_or_a_node() -> None:
    drawing = drawing_of_answer(answer_graph(view_of(events())))

    def state(kind: str, *indices: int) -> dict[str, object]:
        return {"selection": {"selected": [{"data_type": kind, "data_indices": indices}]}}

    assert clicked(drawing, state("edge", 1)) == ([drawing.facts[1]], [])
    assert clicked(drawing, state("node", 0)) == ([], [drawing.nodes[0]])
    assert clicked(drawing, state("edge", 99)) == ([], [])  # of an earlier drawing
    assert clicked(drawing, None) == ([], [])


@given(st.lists(graphs.facts, min_size=1, max_size=12), st.integers(0, 150), st.data())
def test_a_drawing_is_bounded_and_says_what_it_leaves_out(facts, more: int, data) -> None:
    hub = [graphs.fact("Ann", "know", f"Friend {n}") for n in range(more)]
    graph = graphs.graph_of([*facts, *hub])
    all_ = list(graph.facts())
    strong = set(data.draw(st.lists(st.sampled_from([f.id for f in all_] or ["-"]), max_size=4)))
    drawing = drawing_of(list(graph.nodes()), all_, strong)
    drawn = {n.id for n in drawing.nodes}
    assert len(drawn) == len(drawing.nodes) <= MOST_NODES
    assert len(drawing.facts) <= MOST_FACTS
    assert all({f.subject, f.object} <= drawn for f in drawing.facts)
    assert {f.id for f in all_ if f.id in strong} <= {f.id for f in drawing.facts}
    nodes, left = drawing.left_out
    assert (len(drawn) + nodes, len(drawing.facts) + left) == (len(list(graph.nodes())), len(all_))
    (series,) = chart_spec(drawing)["series"]
    assert {line["source"] for line in series["links"]} <= {p["id"] for p in series["data"]}


@pytest.mark.parametrize("name", ["{b}", "<img src=x>\n\x1b[1m", "n" * 200, "\u202ex"])
def test_labels_in_the_chart_are_short_plain_lines(name: str) -> None:
    fact = make_fact(entity("Ann"), name, "entity:x")
    drawing = drawing_of([node("Ann"), Node("entity:x", "entity", name)], [fact], {fact.id})
    (series,) = chart_spec(drawing)["series"]
    shown = [series["data"][1]["name"], series["links"][0]["label"]["formatter"]]
    assert all(text.isprintable() and len(text) <= 26 for text in shown)
    assert "{" not in shown[1]


def test_a_fact_opens_its_sentence_in_the_document() -> None:
    source = source_of(DESIGN.evidence[0], passage(1, TEXT, start=100))
    assert (source.spans, source.quotes) == (((108, 108 + len(QUOTE)),), (QUOTE,))
    moved = source_of(DESIGN.evidence[0], passage(1, f"New. {TEXT}", start=100))
    assert moved.spans == ((113, 113 + len(QUOTE)),)
    assert source_of(DESIGN.evidence[0], passage(1, "Rewritten.")).spans == ()


def test_efforts_that_need_a_model_are_offered_with_one(tmp_path: Path) -> None:
    assert efforts(model=False) == ["auto", "quick", "off"]
    assert efforts(model=True) == ["auto", "quick", "normal", "deep", "off"]
    assert cost_text("normal", "auto") == "at most 3 model calls and 60 s"
    remote = {"models.remote_url": "http://localhost:1/v1", "models.remote_model": "m"}
    for given_, expected in (({}, False), (remote, True)):
        assert has_model(load_settings(given_, home=tmp_path, environ={}), []) is expected


@pytest.fixture
def home(empty_home: Path) -> Workspace:
    """An index with a graph made by a toy extractor, and a conversation with a graph."""
    empty_home.mkdir()
    (empty_home / "config.toml").write_text('retrieval.index = "notes"\n', encoding="utf-8")
    workspace = Workspace(load_settings(home=empty_home))
    folder = workspace.index_folder("notes")
    companion = GraphCompanion(ToyExtractor(), lambda progress: None)
    texts = {"a": "Ann met Bob. It cost $5 and $6.", "b": "Cy is a baker."}
    IndexWriter(folder, HashedEncoders(), companions=[companion]).build([MemorySource(texts)])
    return workspace


def chat(workspace: Workspace, told: list[Event]) -> AppTest:
    conversation = workspace.conversations.start()
    workspace.conversations.begin_turn(conversation, "t1", "Where was its designer born?")
    workspace.conversations.end_turn("t1", "done", "text", told)
    run = AppTest.from_file(str(VIEWS / "chat.py"), default_timeout=60)
    run.query_params["conversation"] = conversation
    return run


def test_a_stored_answer_shows_its_graph(home: Workspace) -> None:
    run = chat(home, events())
    run.session_state["graph-t1"] = True  # opened
    run.run()
    assert not run.exception
    assert r"“Ann designed the \$5 and \$6 bridge\.”" in captions(run)
    assert "Contradictions" in captions(run)
    assert "several values where there is one" in markdown(run)
    assert r"\[1\] Bridge" in labels(run)


def test_an_old_answer_has_no_graph(home: Workspace) -> None:
    old = [e for e in events() if not isinstance(e, GraphChanged | ThinkingDone)]
    run = chat(home, old).run()
    assert not run.exception
    assert "Graph of this answer" not in [folded.label for folded in run.expander]
    assert "How this answer came about" in [folded.label for folded in run.expander]


def test_a_fact_is_kept_and_taken_back(home: Workspace) -> None:
    graph = home.graph("notes")
    assert graph is not None
    words = keep_fact(view_of(events()), DESIGN, graph)
    assert words == "Ann designs bridge"
    ((number, told),) = told_changes(graph)
    assert number == 1 and "kept from: Where was its designer born?" in told
    page = graph.entity(entity("Ann"))
    assert page is not None and DESIGN.id in {fact.id for fact in page.facts}
    graph.undo()
    assert told_changes(graph) == []


def test_without_a_graph_of_the_index_nothing_can_be_kept(home: Workspace) -> None:
    (home.index_folder("notes") / GRAPH_FILE).unlink()
    keep, why = keeper(view_of(events()), Workspace(home.settings))
    assert keep is None and "no graph yet" in why


def test_the_graph_page_finds_and_shows_an_entity(home: Workspace) -> None:
    run = AppTest.from_file(str(VIEWS / "graph.py"), default_timeout=60).run()
    assert not run.exception
    run.text_input[0].set_value("ann").run()
    next(b for b in run.button if b.key == "entity-entity:ann").click().run()
    assert not run.exception
    assert run.subheader[0].value == "Ann"
    assert "“Ann met Bob" in captions(run)
    run.text_input[0].set_value("nobody $x$").run()
    assert r"called “nobody \$x\$”" in markdown(run)


def test_the_graph_page_undoes_and_redoes(home: Workspace) -> None:
    graph = home.graph("notes")
    assert isinstance(graph, KnowledgeGraph)
    keep_fact(view_of(events()), DESIGN, graph)
    run = AppTest.from_file(str(VIEWS / "graph.py"), default_timeout=60).run()
    next(b for b in run.button if b.label == "Undo the last change").click().run()
    assert not run.exception
    assert graph.log() == ()
    next(b for b in run.button if b.label == "Redo").click().run()
    assert len(graph.log()) == 1
    next(b for b in run.button if b.label == "Redo").click().run()
    assert "nothing to redo" in run.error[0].value


def test_an_index_without_a_graph_says_how_to_make_one(home: Workspace) -> None:
    (home.index_folder("notes") / GRAPH_FILE).unlink()
    run = AppTest.from_file(str(VIEWS / "graph.py"), default_timeout=60).run()
    assert "no graph yet" in markdown(run)
    assert "fetch it under Models" in markdown(run)
