"""Contradictions among facts: found, ordered, nothing dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.thoughts.contradictions import believed_first, find_contradictions, overlapping
from assistant.thoughts.model import Fact
from tests.fast.thoughts.graphs import entity, fact, facts, graph_of, node, said

PLACES = [node(n, type="gpe") for n in ("Paris", "Rome", "France", "Dijon")]
YEARS = [node(n, "value", type="date") for n in ("1832", "15 December 1832", "1833")]


def _kinds(*known: Fact) -> list[tuple[str, set[str]]]:
    graph = graph_of(known, [*PLACES, *YEARS])
    return [(one.kind, set(one.facts)) for one in find_contradictions(graph)]


def test_said_and_denied() -> None:
    yes, no = (fact("Ann", "know", "Bob", negated=negated) for negated in (False, True))
    assert _kinds(yes, no) == [("negated", {yes.id, no.id})]
    assert _kinds(yes, fact("Bob", "know", "Ann", negated=True)) == []


def test_denied_for_another_time_is_none() -> None:
    yes = fact("Ann", "lead", "Bob", valid_from="1880", valid_to="1889")
    assert _kinds(yes, fact("Ann", "lead", "Bob", negated=True, valid_from="1890")) == []
    later = fact("Ann", "lead", "Bob", negated=True, valid_from="1889-06")
    assert _kinds(yes, later) == [("negated", {yes.id, later.id})]


@pytest.mark.parametrize(
    ("first", "second", "contradict"),
    [
        (("born in", "Dijon"), ("born in", "Rome"), True),
        (("born in", "Dijon"), ("be born in", "Rome"), True),
        (("born in", "value:1832"), ("born on", "value:1833"), True),
        (("born in", "value:1832"), ("born on", "value:15 december 1832"), False),
        (("born in", "value:1832"), ("born in", "Dijon"), False),
        (("born in", "Dijon"), ("die in", "Rome"), False),
        (("visit", "Dijon"), ("visit", "Rome"), False),
        (("born in", "Dijon"), ("born in", "Dijon"), False),
    ],
)
def test_two_values_where_there_is_one(
    first: tuple[str, str], second: tuple[str, str], contradict: bool
) -> None:
    one, other = fact("Eiffel", *first), fact("Eiffel", *second)
    expected = [("values", {one.id, other.id})] if contradict else []
    assert _kinds(one, other) == expected


def test_a_place_does_not_contradict_what_it_lies_in() -> None:
    born = [fact("Eiffel", "born in", place) for place in ("Dijon", "France")]
    assert _kinds(*born) == [("values", {f.id for f in born})]
    assert _kinds(*born, fact("Dijon", "located in", "France")) == []
    denied = fact("Dijon", "located in", "France", negated=True)
    assert _kinds(*born, denied) == [("values", {f.id for f in born})]


def test_only_one_capital() -> None:
    one, other = fact("Paris", "capital of", "France"), fact("Dijon", "be capital of", "France")
    assert _kinds(one, other) == [("values", {one.id, other.id})]
    before = fact("Dijon", "capital of", "France", valid_to="1400")
    since = fact("Paris", "capital of", "France", valid_from="1401")
    assert _kinds(before, since) == []


def test_hedged_negated_and_obsolete_facts_contradict_nothing() -> None:
    sure = fact("Eiffel", "born in", "Dijon")
    assert _kinds(sure, fact("Eiffel", "born in", "Rome", hedged=True)) == []
    assert _kinds(sure, fact("Eiffel", "born in", "Rome", negated=True)) == []


def test_validity_that_ends_before_it_begins() -> None:
    wrong = fact("Ann", "lead", "Bob", valid_from="1890-05", valid_to="1889")
    assert _kinds(wrong) == [("dates", {wrong.id})]
    for start, end in (("1889-05", "1889"), ("1889", "1889-05"), ("1889", ""), ("", "1889")):
        assert _kinds(fact("Ann", "lead", "Bob", valid_from=start, valid_to=end)) == []


def test_the_one_to_believe_is_first() -> None:
    little = fact("Eiffel", "born in", "Rome", evidence=said("p1"))
    much = fact("Eiffel", "born in", "Dijon", evidence=(*said("p1"), *said("p2")), confidence=0.5)
    later = fact("Eiffel", "born in", "France", valid_from="1900")
    graph = graph_of([little, much, later], PLACES)
    (found,) = find_contradictions(graph)
    assert found.facts == (later.id, much.id, little.id)
    assert "Eiffel born in France" in found.why
    assert len(graph) == 3, "all are kept"


def test_relations_and_nodes_can_be_chosen() -> None:
    one, other = fact("Ann", "marry", "Bob"), fact("Ann", "marry", "Cy")
    graph = graph_of([one, other])
    assert find_contradictions(graph) == []
    (found,) = find_contradictions(graph, one_object=["marry"])
    assert set(found.facts) == {one.id, other.id}
    assert find_contradictions(graph, one_object=["marry"], about=[entity("Ann")]) == [found]
    assert find_contradictions(graph, one_object=["marry"], about=[entity("Bob")]) == []


def test_a_thousand_values_are_bounded() -> None:
    graph = graph_of(fact("Eiffel", "born in", f"Town {i}") for i in range(1_000))
    (found,) = find_contradictions(graph)
    assert len(found.facts) == 200 and len(found.why) <= 400


@given(st.lists(facts, min_size=1, max_size=15))
def test_the_order_of_facts_does_not_matter(known: list[Fact]) -> None:
    known = list({f.id: f for f in known}.values())
    found = find_contradictions(graph_of(known))
    assert found == find_contradictions(graph_of(reversed(known)))
    for one in found:
        involved = [f for f in known if f.id in one.facts]
        assert [f.id for f in believed_first(involved)] == list(one.facts)
        assert not any(f.hedged for f in involved)
        if one.kind == "negated":
            assert {f.negated for f in involved} == {True, False}


@given(facts, facts)
def test_overlap_is_symmetric(one: Fact, other: Fact) -> None:
    assert overlapping(one, other) == overlapping(other, one)
    assert overlapping(one, one)
