"""Names that are one thing are found; those that may be two are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.thoughts.extraction.types import Term
from assistant.thoughts.resolution import same_things


def _terms(*names: str) -> list[Term]:
    """ "Jane Smith/person": a name and its type."""
    parts = (name.partition("/") for name in names)
    return [Term(label, type=kind, named=True) for label, _, kind in parts]


@pytest.mark.parametrize(
    ("text", "names", "keep", "drop", "scope"),
    [
        (
            "The World Health Organization (WHO) met.",
            ["World Health Organization/org", "WHO/org"],
            "world health organization",
            "who",
            "everywhere",
        ),
        (
            "the Bank of England ( B.E. ) said",
            ["Bank of England", "BE"],
            "bank of england",
            "be",
            "everywhere",
        ),
        ("In the U.S.A. and the USA.", ["USA/gpe", "U.S.A./gpe"], "usa", "u s a", "everywhere"),
        ("", ["Dr. Jane Smith/person", "Jane Smith"], "jane smith", "dr jane smith", "everywhere"),
        ("", ["Jane Smith/person", "Smith/person"], "jane smith", "smith", "passage"),
        ("", ["Jane Smith/person", "Mrs. Smith/person"], "jane smith", "mrs smith", "passage"),
    ],
)
def test_one_thing(text: str, names: list[str], keep: str, drop: str, scope: str) -> None:
    (found,) = same_things(text, _terms(*names))
    assert (found.keep, found.drop) == (f"entity:{keep}", f"entity:{drop}")
    assert found.scope == scope and found.why


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("World Health Organization (WHO)", ["World Health Organization/org", "WHO/person"]),
        ("World Health Organization met WHO", ["World Health Organization", "WHO"]),
        ("Royal Society (WHO)", ["Royal Society", "WHO"]),
        ("", ["Jane Smith/person", "John Smith/person", "Smith/person"]),
        ("", ["Jane Smith/person", "Smith/gpe"]),
        ("", ["Apollo 11 Mission", "Dr. Apollo 12 Mission"]),
        ("Apollo Eleven Mission (AEM2)", ["Apollo Eleven Mission", "AEM2"]),
        ("", ["Lord Nelson/person", "Nelson/gpe"]),
        ("", ["Smith/person"]),
    ],
)
def test_two_things(text: str, names: list[str]) -> None:
    assert same_things(text, _terms(*names)) == []


_labels = st.sampled_from(
    ["USA", "U.S.A.", "Dr. Jane Smith", "Jane Smith", "Smith", "Mr. Smith", "John Smith", "A.", ""]
)


@given(
    st.lists(st.builds(Term, _labels, type=st.sampled_from(["", "person"]), named=st.just(True)))
)
def test_nothing_is_dropped_twice_or_into_itself(terms: list[Term]) -> None:
    found = same_things("Jane Smith (JS) of the USA (U.S.A.)", terms)
    drops = [same.drop for same in found]
    assert len(drops) == len(set(drops))
    into = {same.drop: same.keep for same in found}
    for drop in drops:  # no circle
        seen, at = set(), drop
        while at in into:
            assert at not in seen
            seen.add(at)
            at = into[at]
