"""The difference of two graphs."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from assistant.thoughts.changes import MoveEdge, ObsoleteEdge, RestoreEdge, ReviseEdge
from assistant.thoughts.diff import MOST_LINES, difference, difference_in_words
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Node
from assistant.thoughts.state import Snapshot
from tests.fast.thoughts.strategies import graphs
from tests.fast.thoughts.test_kgcl import FACT, MAN, TOWER

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
BEFORE = Snapshot((TOWER, MAN), (FACT,))


def _applied(first: ThoughtGraph, second: ThoughtGraph) -> Snapshot:
    changes = difference(first.snapshot(), second.snapshot())
    made = ThoughtGraph.replay(first.log)
    if changes:
        made.apply(changes, author="person", reason="difference")
    return made.snapshot()


@SLOW
@given(graphs(), graphs())
def test_the_difference_makes_the_second_of_the_first(
    first: ThoughtGraph, second: ThoughtGraph
) -> None:
    assert _applied(first, second) == second.snapshot()


@SLOW
@given(graphs())
def test_so_it_does_between_two_states_of_one_graph(graph: ThoughtGraph) -> None:
    earlier = ThoughtGraph.replay(graph.log[: len(graph.log) // 2])
    assert _applied(earlier, graph) == graph.snapshot()
    assert _applied(graph, earlier) == earlier.snapshot()
    assert difference(graph.snapshot(), graph.snapshot()) == []


def test_a_fact_is_moved_and_revised_not_made_anew() -> None:
    paris = Node("entity:paris", "entity", "Paris")
    nodes = (TOWER, MAN, paris)
    old = replace(FACT, obsolete="a draft")

    def between(first: object, second: object) -> list[object]:
        return list(difference(Snapshot(nodes, (first,)), Snapshot(nodes, (second,))))

    moved, surer = replace(FACT, object=paris.id), replace(FACT, confidence=1.0)
    assert between(FACT, moved) == [MoveEdge(FACT.id, "object", TOWER.id, paris.id)]
    assert between(FACT, old) == [ObsoleteEdge(FACT.id, "a draft")]
    assert between(old, FACT) == [RestoreEdge(FACT.id, "a draft")]
    assert between(FACT, surer) == [ReviseEdge(FACT, surer)]
    assert [type(change) for change in between(FACT, replace(moved, confidence=1.0))] == [
        MoveEdge,
        ReviseEdge,
    ]


def test_in_words() -> None:
    after = Snapshot(
        (replace(TOWER, label="Tour Eiffel"), MAN), (replace(FACT, obsolete="a draft"),)
    )
    assert difference_in_words(difference(BEFORE, after), BEFORE, after).split("\n") == [
        "1 × rename node, 1 × obsolete edge",
        "- Eiffel Tower is now called Tour Eiffel",
        "- no longer counts: Stephen Sauvestre designs Tour Eiffel (1889–) (a draft)",
    ]
    assert difference_in_words([], BEFORE, BEFORE) == "no difference"


def test_a_long_difference_is_cut() -> None:
    nodes = tuple(Node(f"entity:{n:03}", "entity", f"{n}") for n in range(MOST_LINES + 7))
    empty, full = Snapshot((), ()), Snapshot(nodes, ())
    lines = difference_in_words(difference(empty, full), empty, full).split("\n")
    assert lines[0] == f"{MOST_LINES + 7} × create node"
    assert (len(lines), lines[-1]) == (MOST_LINES + 2, "… and 7 more")
