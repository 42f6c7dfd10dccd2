"""Which names are merged, and which must not be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ModelRuntimeError
from assistant.thoughts.extraction.types import Term
from assistant.thoughts.model import Node, node_id
from assistant.thoughts.resolution import (
    Known,
    across_documents,
    compatible,
    definitions,
    variants,
    within_document,
)
from assistant.thoughts.resolution_by_meaning import by_meaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The National Aeronautics and Space Administration (NASA) flew.",
            [("NASA", "National Aeronautics and Space Administration")],
        ),
        ("levels of amyloid precursor protein (APP) rise", [("APP", "amyloid precursor protein")]),
        ("the World Health Organization (W.H.O.) said", [("W.H.O.", "World Health Organization")]),
        ("patients (see Table 2) and (P < 0.05) were", []),
        ("He came home (late). The dog (OK) barked.", []),
        ("(NASA) alone", []),
        ("the small (SM) one", []),
    ],
)
def test_acronyms_are_found_where_they_are_introduced(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert definitions(text) == expected


@given(st.text(max_size=400))
def test_any_text_gives_long_forms_that_stand_in_it(text: str) -> None:
    for short, long in definitions(text):
        assert f"({short})" in text.replace("( ", "(").replace(" )", ")") or short in text
        assert " ".join(long.split()) in " ".join(text.split())


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("U.S.", "US"),
        ("Sir Isaac Newton", "Isaac Newton"),
        ("Dr. Marie Curie", "Marie Curie"),
        ("stem cells", "stem cell"),
        ("studies", "study"),
        ("viruses", "virus"),
        ("Curie's", "Curie"),
    ],
)
def test_variants_of_a_name(name: str, other: str) -> None:
    targets = [target for target, _ in variants(node_id("entity", name))]
    assert node_id("entity", other) in targets


@pytest.mark.parametrize("name", ["Paris", "virus", "glass", "analysis", "Dr. No", "gas"])
def test_names_without_variants(name: str) -> None:
    assert variants(node_id("entity", name)) == []


def test_values_have_no_variants() -> None:
    assert variants(node_id("value", "1980s")) == []


def _person(name: str) -> Term:
    return Term(name, "entity", "person", True)


def test_a_surname_is_the_only_full_name_of_its_document() -> None:
    merges = within_document([_person("Marie Curie"), _person("Curie"), _person("Dr. Curie")], ())
    assert {(m.drop, m.keep, m.how) for m in merges.values()} == {
        ("entity:curie", "entity:marie curie", "surname"),
        ("entity:dr curie", "entity:marie curie", "surname"),
    }
    two = [_person("Marie Curie"), _person("Pierre Curie"), _person("Curie")]
    assert within_document(two, ()) == {}
    place = [_person("George Washington"), Term("Washington", "entity", "gpe", True)]
    assert within_document(place, ()) == {}
    noun = [_person("Hamilton Depression"), Term("depression")]
    assert within_document(noun, ()) == {}


def test_an_acronym_with_two_meanings_in_a_document_has_none() -> None:
    terms = [Term("AMI"), Term("acute myocardial infarction"), Term("ambient intelligence")]
    pairs = [("AMI", "acute myocardial infarction"), ("AMI", "ambient intelligence")]
    assert set(within_document(terms, pairs[:1])) == {"entity:ami"}
    assert within_document(terms, pairs) == {}
    # Lower case is a word of its own, though it has the same normal form.
    assert within_document([*terms, Term("Ami")], pairs[:1]) == {}


def test_across_documents() -> None:
    nodes = {
        node_id("entity", name): known
        for name, known in [
            ("stem cells", Known(worded=True)),
            ("stem cell", Known(worded=True)),
            ("Andes", Known("loc", True, True)),
            ("Ande", Known(worded=True)),
            ("Dr. Jane Paris", Known("person", True, True)),
            ("Jane Paris", Known("gpe", True, True)),
            ("major switch in use", Known(worded=True)),
            ("switch in use", Known(worded=True)),
            ("NASA", Known("org", True)),
            ("National Aeronautics Agency", Known("org", True)),
            ("AMI", Known("org", True)),
            ("acute myocardial infarction", Known()),
            ("ambient intelligence", Known()),
            ("all", Known(worded=True)),
            ("acute lymphoblastic leukemia", Known()),
        ]
    }
    acronyms = [
        ("NASA", "National Aeronautics Agency"),
        ("AMI", "acute myocardial infarction"),
        ("AMI", "ambient intelligence"),
        ("WHO", "World Health Organization"),
        ("ALL", "acute lymphoblastic leukemia"),
    ]
    assert [(m.drop, m.how) for m in across_documents(nodes, acronyms)] == [
        ("entity:nasa", "acronym"),
        ("entity:stem cells", "plural"),
    ]


def test_types_that_go_together() -> None:
    assert compatible("gpe", "loc") and compatible("", "person") and compatible("org", "org")
    assert not any(
        compatible(a, b)
        for a, b in [("person", "gpe"), ("gpe", "date"), ("date", "person"), ("org", "gpe")]
    )


def _node(name: str, type_: str = "org") -> Node:
    return Node(node_id("entity", name), "entity", name, type_)


def _letters(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors of the letters' counts: enough to be near for near spellings."""
    rows = np.array(
        [[t.lower().count(chr(97 + i)) for i in range(26)] for t in texts], dtype=np.float32
    )
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def test_meaning_merges_what_is_near_and_asks_about_the_rest() -> None:
    nodes = [
        _node("International Business Machines"),
        _node("International Business Machine"),
        _node("Internal Business Mechanics"),
        _node("International Business Machine", "person"),
    ][:3]
    asked: list[tuple[str, str]] = []

    def same(first: Node, second: Node) -> bool:
        asked.append((first.id, second.id))
        return False

    merges, refused = by_meaning(nodes, _letters, merge_from=0.99, ask_from=0.9, same=same)
    assert [(m.how, m.author) for m in merges] == [("meaning", "rule")]
    assert asked == refused and len(asked) == 1  # what was merged is not asked about again


def test_other_types_numbers_and_old_pairs_are_not_compared() -> None:
    assert by_meaning([_node("Paris", "gpe"), _node("Paris.", "person")], _letters)[0] == []
    assert by_meaning([_node("Boeing 737"), _node("Boeing 747")], _letters)[0] == []
    assert by_meaning([_node("Louis XIV"), _node("Louis XVI")], _letters)[0] == []
    pair = [_node("Acme Corp"), _node("Acme Corps")]
    assert by_meaning(pair, _letters, new=frozenset())[0] == []
    (merge,) = by_meaning(pair, _letters, new=frozenset({pair[0].id}))[0]
    assert merge.keep == pair[1].id


def test_the_model_is_asked_a_bounded_number_of_times_and_may_fail() -> None:
    nodes = [_node(f"Institute {'abcdefgh'[i]}{'xyzuvwst'[i]}") for i in range(8)]
    calls = 0

    def failing(first: Node, second: Node) -> bool:
        nonlocal calls
        calls += 1
        raise ModelRuntimeError("it talks nonsense")

    found = by_meaning(nodes, _letters, merge_from=1.1, ask_from=0.5, same=failing, most_calls=3)
    assert found == ([], []) and calls == 3
