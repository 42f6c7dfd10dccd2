"""The graph and its log: every change has an inverse, a batch is whole or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import GraphError
from assistant.thoughts.changes import (
    BATCHES,
    Change,
    CreateEdge,
    CreateNode,
    DeleteEdge,
    DeleteNode,
    MoveEdge,
    ObsoleteEdge,
    RenameNode,
    RestoreEdge,
    ReviseEdge,
    ReviseNode,
)
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Fact, Node, fact_id, make_fact, node_id, normal_form
from tests.fast.thoughts.graphs import NAMES, RELATIONS, entity, fact, graph_of, node, said

EMPTY = ThoughtGraph().snapshot()


# -- names and facts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Eiffel Tower", "the eiffel tower", "EIFFEL-TOWER".replace("-", " "), "Eïffel Tower."]
)
def test_one_thing_has_one_id(name: str) -> None:
    assert node_id("entity", name) == "entity:eiffel tower"


@pytest.mark.parametrize(
    ("left", "right"),
    [("C++", "C"), ("C#", "C"), ("3.5", "35"), ("12 %", "12"), ("Jean-Luc", "Jean Luc")],
)
def test_different_things_have_different_ids(left: str, right: str) -> None:
    assert normal_form(left) != normal_form(right)


@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_no_name_is_lost(name: str) -> None:
    form = normal_form(name)
    assert form and form == " ".join(form.split())


def test_a_facts_id_follows_from_what_it_says() -> None:
    first = fact("Ann", "know", "Bob", evidence=said("p1"), confidence=0.5, step=1)
    assert first.id == fact("Ann", "know", "Bob", evidence=said("p2"), hedged=True).id
    others = [
        fact("Bob", "know", "Ann"),
        fact("Ann", "know", "Bob", negated=True),
        fact("Ann", "know", "Bob", valid_from="1889"),
        fact("Ann", "know", "Bob", valid_to="1889"),
    ]
    assert len({first.id, *(other.id for other in others)}) == 5
    assert first.id == fact_id(entity("Ann"), "know", entity("Bob"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Node("ann", "entity", "Ann"),
        lambda: Node("entity:", "entity", "Ann"),
        lambda: Node("value:ann", "entity", "Ann"),
        lambda: node("Ann", aliases=("a" * 201,)),
        lambda: Node("entity:ann", "entity", " "),
        lambda: node("a" * 5_000),
        lambda: node("Ann", description="x" * 2_001),
        lambda: make_fact("entity:a", " ", "entity:b"),
        lambda: make_fact("entity:a", "r" * 201, "entity:b"),
        lambda: make_fact("entity:a", "r", "entity:b", confidence=1.01),
        lambda: make_fact("entity:a", "r", "entity:b", confidence=float("nan")),
    ],
)
def test_what_is_no_node_or_fact(wrong: object) -> None:
    with pytest.raises(GraphError):
        wrong()  # type: ignore[operator]


# -- reading ---------------------------------------------------------------------------------


def test_reading() -> None:
    loop = fact("Ann", "love", "Ann")
    first, second = fact("Ann", "know", "Bob"), fact("Ann", "design", "Bob")
    graph = graph_of([loop, first, second], [node("Ann", aliases=("Annie",), type="person")])
    assert len(graph) == 3 and entity("Ann") in graph and first.id in graph
    assert list(graph.facts("know")) == [first]
    assert list(graph.facts_of(entity("Ann"))) == [loop, first, second], "a loop comes once"
    assert list(graph.facts_of(entity("Ann"), as_subject=False)) == [loop]
    assert list(graph.facts_of(entity("Nobody"))) == []
    assert graph.between(entity("Ann"), entity("Bob")) == [first, second]
    assert graph.between(entity("Bob"), entity("Ann")) == []
    assert [n.id for n in graph.named("ANNIE")] == [entity("Ann")]
    assert graph.relations() == ("love", "know", "design")
    assert graph.relations_sharing_words("was designed by") == ["design"]
    graph.apply([ObsoleteEdge(first.id, "wrong")], author="person", reason="r")
    assert list(graph.facts("know")) == []
    assert [f.id for f in graph.facts("know", obsolete=True)] == [first.id]
    assert list(graph.facts_of(entity("Bob"))) == [second]
    assert list(graph.outgoing(entity("Ann"))["know"]) == [first.id]
    for asked in (graph.node, graph.fact):
        with pytest.raises(GraphError, match="there is no"):
            asked("entity:nobody" * 100)


# -- changing --------------------------------------------------------------------------------

ANN, BOB = node("Ann"), node("Bob")
KNOW = fact("Ann", "know", "Bob", evidence=said("p1"))


def _one_fact() -> ThoughtGraph:
    return graph_of([KNOW], [ANN, BOB, node("Cy"), node("p1", "passage")])


@pytest.mark.parametrize(
    "change",
    [
        CreateNode(node("Dee")),
        DeleteNode(node("Cy")),
        RenameNode(ANN.id, "Ann", "Anna"),
        ReviseNode(ANN, replace(ANN, aliases=("Annie",), type="person")),
        CreateEdge(fact("Bob", "know", "Ann")),
        DeleteEdge(KNOW),
        MoveEdge(KNOW.id, "object", BOB.id, entity("Cy")),
        MoveEdge(KNOW.id, "subject", ANN.id, BOB.id),
        ReviseEdge(KNOW, KNOW.with_evidence(said("p2"), 1.0)),
        ObsoleteEdge(KNOW.id, "wrong"),
    ],
)
def test_every_change_has_an_inverse(change: Change) -> None:
    graph = _one_fact()
    before = graph.snapshot()
    assert change.inverse().inverse() == change
    graph.apply([change], author="rule", reason="test")
    after = graph.snapshot()
    assert after != before
    graph.undo()
    assert graph.snapshot() == before
    graph.redo()
    assert graph.snapshot() == after
    graph.revert(2, author="person")
    assert graph.snapshot() == before and len(graph.log) == 3


@pytest.mark.parametrize(
    "change",
    [
        CreateNode(ANN),
        DeleteNode(ANN),  # has a fact
        DeleteNode(replace(node("Cy"), type="person")),  # is not what it was
        DeleteNode(node("Nobody")),
        RenameNode(ANN.id, "Anna", "Ann"),
        RenameNode(ANN.id, "Ann", "a" * 5_000),
        ReviseNode(BOB, replace(BOB, id=entity("Cy"))),
        ReviseNode(replace(ANN, type="x"), ANN),
        CreateEdge(KNOW),
        CreateEdge(fact("Ann", "know", "Nobody")),
        CreateEdge(make_fact(ANN.id, "say", "passage:p1")),
        DeleteEdge(replace(KNOW, confidence=0.1)),
        MoveEdge(KNOW.id, "object", ANN.id, BOB.id),
        MoveEdge(KNOW.id, "object", BOB.id, entity("Nobody")),
        MoveEdge(KNOW.id, "object", BOB.id, "passage:p1"),
        ReviseEdge(KNOW, replace(KNOW, relation="love")),
        ReviseEdge(replace(KNOW, step=9), KNOW),
        ObsoleteEdge(KNOW.id, ""),
        ObsoleteEdge("0" * 12, "x"),
        RestoreEdge(KNOW.id, "x"),
        RestoreEdge(KNOW.id, ""),
    ],
)
def test_a_batch_with_one_bad_change_changes_nothing(change: Change) -> None:
    graph = _one_fact()
    before = graph.snapshot(), graph.log
    good = [CreateNode(node("Dee")), CreateEdge(fact("Dee", "know", "Ann"))]
    with pytest.raises(GraphError):
        graph.apply([*good, change, CreateNode(node("Eve"))], author="model", reason="test")
    assert (graph.snapshot(), graph.log) == before
    assert graph.outgoing(entity("Dee")) == {} and graph.named("Dee") == []
    graph.apply(good, author="rule", reason="still in order")


def test_undo_redo_and_revert_at_the_ends() -> None:
    graph = ThoughtGraph()
    for wrong in (
        graph.undo,
        graph.redo,
        lambda: graph.revert(1, author="person"),
        lambda: graph.apply([], author="rule", reason="nothing"),
    ):
        with pytest.raises(GraphError):
            wrong()
    graph.apply([CreateNode(ANN)], author="rule", reason="one")
    graph.apply([CreateNode(BOB), CreateEdge(KNOW)], author="model", reason="two", step=3)
    with pytest.raises(GraphError, match="cannot be taken back alone"):
        graph.revert(1, author="person")
    assert len(graph.log) == 2
    second = graph.undo()
    assert (second.author, second.reason, second.step) == ("model", "two", 3)
    assert graph.undone == (second,)
    graph.apply([CreateNode(node("Cy"))], author="rule", reason="another way")
    assert graph.undone == () and [b.number for b in graph.log] == [1, 2]


def test_a_log_that_does_not_fit_together() -> None:
    graph = _one_fact()
    with pytest.raises(GraphError):
        ThoughtGraph.replay([*graph.log, *graph.log])


def test_a_merge_of_hubs_is_one_change() -> None:
    graph = graph_of(fact("Hub", "know", f"n{i}") for i in range(2_000))
    graph.apply([CreateNode(node("Other"))], author="rule", reason="other")
    before = graph.snapshot()
    moves = [
        MoveEdge(f.id, "subject", entity("Hub"), entity("Other"))
        for f in graph.facts_of(entity("Hub"))
    ]
    graph.apply(moves, author="rule", reason="merge")
    assert len(graph.outgoing(entity("Other"))["know"]) == 2_000
    graph.undo()
    assert graph.snapshot() == before


# -- properties ------------------------------------------------------------------------------

_entities = st.sampled_from(NAMES).map(node)
_facts = st.builds(fact, st.sampled_from(NAMES), st.sampled_from(RELATIONS), st.sampled_from(NAMES))


@st.composite
def _changes(draw: st.DrawFn, graph: ThoughtGraph) -> Change:
    """A change that may fit the graph as it is now, and often does."""
    nodes = list(graph.nodes()) or [ANN]
    known = list(graph.facts(obsolete=True)) or [KNOW]
    one, other = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
    edge: Fact = draw(st.sampled_from(known))
    label = draw(st.sampled_from((*NAMES, "Annie")))
    options: list[Change] = [
        CreateNode(draw(_entities)),
        DeleteNode(one),
        RenameNode(one.id, one.label, label),
        ReviseNode(one, replace(one, aliases=(label,))),
        CreateEdge(draw(_facts)),
        DeleteEdge(edge),
        MoveEdge(edge.id, "subject", edge.subject, one.id),
        MoveEdge(edge.id, "object", edge.object, other.id),
        ReviseEdge(edge, edge.with_evidence(said(label), 1.0)),
        ObsoleteEdge(edge.id, "no"),
        RestoreEdge(edge.id, edge.obsolete),
    ]
    return draw(st.sampled_from(options))


def _grown(data: st.DataObject) -> ThoughtGraph:
    """A graph after some batches; those that did not fit have left it as it was."""
    graph = ThoughtGraph()
    graph.apply([CreateNode(node(n)) for n in NAMES[:3]], author="rule", reason="begin")
    for step in range(data.draw(st.integers(0, 12))):
        before = graph.snapshot(), graph.log
        batch = [data.draw(_changes(graph)) for _ in range(data.draw(st.integers(1, 3)))]
        try:
            graph.apply(batch, author="rule", reason="grow", step=step)
        except GraphError:
            assert (graph.snapshot(), graph.log) == before
        _check_indexes(graph)
    return graph


def _check_indexes(graph: ThoughtGraph) -> None:
    """What is found through an index is what a scan finds."""
    known = list(graph.facts(obsolete=True))
    assert {key for *_, key in graph.networkx.edges(keys=True)} == {f.id for f in known}
    for one in graph.nodes():
        for index, end in ((graph.outgoing, "subject"), (graph.incoming, "object")):
            ids = {i: r for r, found in index(one.id).items() for i in found}
            assert ids == {f.id: f.relation for f in known if getattr(f, end) == one.id}
        names = {normal_form(n) for n in (one.label, *one.aliases)}
        assert all(one in graph.named(name) for name in names)
    for name in (*NAMES, "Annie"):
        assert {n.id for n in graph.named(name)} == {
            n.id
            for n in graph.nodes()
            if normal_form(name) in map(normal_form, (n.label, *n.aliases))
        }
    assert set(graph.relations()) == {f.relation for f in known}
    for relation in RELATIONS:
        assert set(graph.with_relation(relation)) == {f.id for f in known if f.relation == relation}
        assert (relation in graph.relations_sharing_words(relation)) == (
            relation in graph.relations()
        )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_replay_gives_the_graph_and_undoing_all_the_empty_one(data: st.DataObject) -> None:
    graph = _grown(data)
    final, log = graph.snapshot(), graph.log
    assert ThoughtGraph.replay(log).snapshot() == final
    as_json = BATCHES.dump_json(list(log))
    assert ThoughtGraph.replay(BATCHES.validate_json(as_json)).snapshot() == final
    states = [final]
    while graph.log:
        graph.undo()
        _check_indexes(graph)
        states.append(graph.snapshot())
    assert states[-1] == EMPTY
    assert list(graph.networkx.nodes) == []
    for expected in reversed(states[:-1]):
        graph.redo()
        assert graph.snapshot() == expected
    assert graph.log == log


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_replay_of_a_part_equals_undoing(data: st.DataObject) -> None:
    graph = _grown(data)
    log = graph.log
    back = data.draw(st.integers(0, len(log)))
    for _ in range(back):
        graph.undo()
    assert ThoughtGraph.replay(log, undone=back).snapshot() == graph.snapshot()
    assert graph.undone == log[len(log) - back :]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_revert_takes_back_one_batch_or_changes_nothing(data: st.DataObject) -> None:
    graph = _grown(data)
    number = data.draw(st.integers(1, len(graph.log)))
    before, log = graph.snapshot(), graph.log
    try:
        graph.revert(number, author="person")
    except GraphError:
        assert (graph.snapshot(), graph.log) == (before, log)
        return
    assert len(graph.log) == len(log) + 1
    graph.undo()
    assert graph.snapshot() == before
