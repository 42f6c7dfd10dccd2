"""Graph patterns: the join finds what trying everything finds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import GraphError
from assistant.thoughts.filters import Filter
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.matching import Pattern, Words, match
from assistant.thoughts.model import Fact
from assistant.thoughts.relations import overlap
from tests.fast.thoughts.graphs import NAMES, entity, fact, graph_of, node

TOWER = [
    fact("Maurice Koechlin", "design", "Eiffel Tower"),
    fact("Emile Nouguier", "design", "Eiffel Tower"),
    fact("Maurice Koechlin", "study at", "ETH Zurich"),
    fact("Emile Nouguier", "study at", "Ecole des Mines"),
    fact("ETH Zurich", "located in", "Zurich"),
    fact("Eiffel Tower", "completed in", "value:1889"),
    fact("Garabit Viaduct", "completed in", "value:1884"),
    fact("Maurice Koechlin", "design", "Garabit Viaduct"),
    fact("Gustave Eiffel", "design", "Garabit Viaduct", hedged=True),
    fact("Gustave Eiffel", "design", "Eiffel Tower", negated=True),
]


@pytest.fixture
def tower() -> ThoughtGraph:
    dates = [node(year, "value", type="date") for year in ("1884", "1889")]
    return graph_of(TOWER, [*dates, node("Eiffel Tower", aliases=("La dame de fer",))])


def _ids(*names: str) -> list[str]:
    return [entity(name) for name in names]


def test_two_hops(tower: ThoughtGraph) -> None:
    found = match(
        tower,
        [Pattern("?who", "design", "the Eiffel Tower"), Pattern("?who", "study at", "?where")],
    )
    assert [(row["?who"], row["?where"]) for row in found.rows] == [
        (entity("Emile Nouguier"), entity("Ecole des Mines")),
        (entity("Maurice Koechlin"), entity("ETH Zurich")),
    ]
    assert found.complete and found.found == 2
    assert found.rows[1].facts == (TOWER[0].id, TOWER[2].id)


def test_an_alias_and_an_id_name_the_same_node(tower: ThoughtGraph) -> None:
    by = [
        match(tower, [Pattern("?who", "design", name)])
        for name in ("la dame de fer!", "Eiffel Tower", entity("Eiffel Tower"))
    ]
    assert by[0] == by[1] == by[2] and by[0].found == 2


def test_negated_and_hedged_only_when_asked_for(tower: ThoughtGraph) -> None:
    pattern = [Pattern("Gustave Eiffel", "design", "?what")]
    assert match(tower, pattern).rows == ()
    assert [r["?what"] for r in match(tower, pattern, hedged=True).rows] == _ids("Garabit Viaduct")
    assert [r["?what"] for r in match(tower, pattern, negated=True).rows] == _ids("Eiffel Tower")


def test_relation_as_variable(tower: ThoughtGraph) -> None:
    found = match(tower, [Pattern("Maurice Koechlin", "?how", "?what")])
    assert [(r["?how"], r["?what"]) for r in found.rows] == [
        ("design", entity("Eiffel Tower")),
        ("design", entity("Garabit Viaduct")),
        ("study at", entity("ETH Zurich")),
    ]


@pytest.mark.parametrize(
    ("asked", "exact", "alike"),
    [("design", 2, 2), ("was designed by", 0, 2), ("designs", 0, 2), ("build", 0, 0)],
)
def test_words_of_relations(tower: ThoughtGraph, asked: str, exact: int, alike: int) -> None:
    pattern = [Pattern("?who", asked, "Eiffel Tower")]
    assert match(tower, pattern).found == exact
    assert match(tower, pattern, words="overlap").found == alike


@pytest.mark.parametrize(
    ("left", "right", "share"),
    [
        ("be born in", "born on", 1),
        ("win award", "win election", 0.5),
        ("study at", "studied", 1),
        ("be in", "be at", 0.5),
        ("design", "designer of", 1),
        ("write", "wrote", 1),
        ("write", "win", 0),
    ],
)
def test_overlap_of_relations(left: str, right: str, share: float) -> None:
    assert overlap(left, right) == overlap(right, left) == share


@pytest.mark.parametrize(
    ("test", "value", "left"),
    [
        ("before", "1885", ["1884"]),
        ("after", "March 1885", ["1889"]),
        ("<", "1889", ["1884"]),
        (">", "1884", ["1889"]),
        ("=", "1889", ["1889"]),
        ("!=", "1889", ["1884"]),
        ("type", "date", ["1884", "1889"]),
        ("type", "value", ["1884", "1889"]),
        ("type", "person", []),
        ("contains", "1889", ["1889"]),
        ("contains", "188", []),
        ("before", "nonsense", []),
        ("<", "5 km", []),
    ],
)
def test_filters(tower: ThoughtGraph, test: str, value: str, left: list[str]) -> None:
    found = match(
        tower,
        [Pattern("?what", "completed in", "?when")],
        [Filter("?when", test, value)],  # type: ignore[arg-type]
    )
    assert sorted(row["?when"] for row in found.rows) == [f"value:{year}" for year in left]


def test_filter_between_two_variables(tower: ThoughtGraph) -> None:
    two = [Pattern("?a", "completed in", "?x"), Pattern("?b", "completed in", "?y")]
    found = match(tower, two, [Filter("?x", "before", "?y")])
    assert [(r["?a"], r["?b"]) for r in found.rows] == [
        (entity("Garabit Viaduct"), entity("Eiffel Tower"))
    ]
    assert match(tower, two, [Filter("?a", "!=", "?b")]).found == 2


@pytest.mark.parametrize(
    ("patterns", "filters"),
    [
        ([], []),
        ([Pattern("?a", "know", "?b")] * 7, []),
        ([Pattern("?a", "?a", "?b")], []),
        ([Pattern("?a", "know", "?b")], [Filter("?c", "=", "x")]),
        ([Pattern("?a", "know", "?b")], [Filter("?a", "=", "?c")]),
    ],
)
def test_refused(tower: ThoughtGraph, patterns: list[Pattern], filters: list[Filter]) -> None:
    with pytest.raises(GraphError):
        match(tower, patterns, filters)


def test_steps_are_bounded_and_it_says_so() -> None:
    crowd = graph_of(fact(f"a{i}", "know", f"b{i % 7}") for i in range(300))
    product = [Pattern(f"?a{i}", "know", f"?b{i}") for i in range(6)]
    found = match(crowd, product, max_steps=5_000)
    assert not found.complete
    assert len(found.rows) <= 100
    assert match(crowd, product[:1], limit=3).found == 300


# Two nodes are called Twin too.
TWINS = [node(name, aliases=("Twin",)) for name in ("Ann", "Bob")]
# Few names and relations, so that facts meet.
_dense = st.lists(
    st.builds(
        fact,
        st.sampled_from(NAMES[:3]),
        st.sampled_from(("know", "design", "design of")),
        st.sampled_from(NAMES[:3]),
        negated=st.sampled_from((False, False, True)),
        hedged=st.sampled_from((False, False, False, True)),
        valid_from=st.sampled_from(("", "1889")),
    ),
    min_size=8,
    max_size=16,
)
_node_terms = st.sampled_from(("?x", "?y", "?z", "?x", "?y", "Twin", *NAMES[:3]))
_relation_terms = st.sampled_from(("?r", "know", "design", "design of", "designs"))
_patterns = st.lists(
    st.builds(Pattern, _node_terms, _relation_terms, _node_terms), min_size=1, max_size=3
)
_filters = st.lists(
    st.builds(
        Filter,
        st.sampled_from(("?x", "?y", "?z")),
        st.sampled_from(("=", "!=", "!=", "contains")),
        st.sampled_from(("?x", "?y", *NAMES[:3])),
    ),
    max_size=1,
)


def _naive(
    known: Sequence[Fact],
    patterns: list[Pattern],
    filters: list[Filter],
    negated: bool,
    words: Words,
) -> dict[tuple[tuple[str, str], ...], list[set[str]]]:
    """Every assignment of facts to patterns is tried."""
    usable = [f for f in known if not f.hedged and (negated or not f.negated)]
    found: dict[tuple[tuple[str, str], ...], list[set[str]]] = {}
    for choice in itertools.product(usable, repeat=len(patterns)):
        bound: dict[str, str] = {}
        fits = True
        for pattern, one in zip(patterns, choice, strict=True):
            for term, value in (
                (pattern.subject, one.subject),
                (pattern.relation, one.relation),
                (pattern.object, one.object),
            ):
                if term.startswith("?"):
                    fits &= bound.setdefault(term, value) == value
                elif value == one.relation:
                    fits &= value == term or (words == "overlap" and overlap(value, term) == 1)
                else:
                    twin = term == "Twin" and value in _ids("Ann", "Bob")
                    fits &= value == entity(term) or twin
        for test in filters:
            other = bound.get(test.value, entity(test.value))
            fits &= (bound[test.variable] != other) == (test.test == "!=")
        if fits:
            support = found.setdefault(tuple(bound.items()), [set() for _ in patterns])
            for ids, one in zip(support, choice, strict=True):
                ids.add(one.id)
    return found


@settings(max_examples=300, deadline=None)
@given(
    _dense,
    _patterns,
    _filters,
    st.booleans(),
    st.sampled_from(("exact", "overlap")),
)
def test_equals_trying_everything(
    known: list[Fact],
    patterns: list[Pattern],
    filters: list[Filter],
    negated: bool,
    words: Words,
) -> None:
    graph = graph_of(known, TWINS)
    variables = {t for p in patterns for t in (p.subject, p.object) if t.startswith("?")}
    filters = [f for f in filters if variables.issuperset(f.variables)]
    found = match(graph, patterns, filters, negated=negated, words=words)
    expected = _naive(list(graph.facts()), patterns, filters, negated, words)
    assert {row.bindings: [set(ids) for ids in row.support] for row in found.rows} == expected
    assert list(found.rows) == sorted(found.rows, key=lambda r: [v for _, v in r.bindings])
    assert found.complete and found.found == len(expected)


@given(_dense, _patterns)
def test_the_order_does_not_depend_on_that_of_facts_or_patterns(
    known: list[Fact], patterns: list[Pattern]
) -> None:
    known = list({f.id: f for f in known}.values())
    first = match(graph_of(known), patterns)
    second = match(graph_of(reversed(known)), list(reversed(patterns)))
    as_sets = [
        {(row.bindings and frozenset(row.bindings), frozenset(row.facts)) for row in found.rows}
        for found in (first, second)
    ]
    assert as_sets[0] == as_sets[1]
    assert [r.bindings for r in first.rows] == [
        r.bindings for r in match(graph_of(reversed(known)), patterns).rows
    ]
