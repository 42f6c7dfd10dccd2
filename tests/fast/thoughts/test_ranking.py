from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.thoughts.linking import names_of_title, without_qualifier
from assistant.thoughts.ranking import Links, Mentioned, blended

PROTOCOLS = [
    Mentioned("rome", "entity:rome protocols", about=True),
    Mentioned("rome", "entity:dollfuss"),
    Mentioned("rome", "entity:austria"),
    Mentioned("dollfuss", "entity:dollfuss", about=True),
    Mentioned("vienna", "entity:austria"),
    Mentioned("graz", "entity:austria"),
    Mentioned("alone", "entity:nothing else"),
]


def test_the_walk_goes_to_what_a_rare_name_is_about() -> None:
    walked = Links(PROTOCOLS).walk({"rome": 1.0}, onward=0.5)
    assert walked["dollfuss"] > 3 * walked["vienna"] > 0
    assert "alone" not in walked


def test_what_started_at_a_seed_does_not_count() -> None:
    walked = Links(PROTOCOLS).walk({"alone": 1.0, "rome": 1.0}, onward=0.5)
    # Nothing but itself leads to it: what arrives is what it sent out.
    assert walked["alone"] <= 1.0
    assert Links(PROTOCOLS).walk({"unknown": 1.0}, onward=0.5) == {}
    assert Links([]).walk({"rome": 1.0}, onward=0.5) == {}


def test_links_know_who_mentions_what() -> None:
    links = Links([*PROTOCOLS, Mentioned("rome", "entity:austria")])
    assert len(links) == 5
    assert links.entities_in("rome") == [
        "entity:austria",
        "entity:dollfuss",
        "entity:rome protocols",
    ]
    assert links.passages_about("entity:dollfuss") == ["dollfuss"]
    assert links.passages_about("entity:austria") == []
    assert links.entities_in("unknown") == links.passages_about("unknown") == []


names = st.sampled_from("abcdef")
links = st.lists(st.builds(Mentioned, names, names.map("entity:{}".format), st.booleans()))


@given(links, st.dictionaries(names, st.floats(0.1, 1), min_size=1), st.floats(0.1, 0.9))
def test_a_walk_is_bounded_and_the_same_in_any_order(found, seeds, onward) -> None:
    walked = Links(found).walk(seeds, onward=onward)
    assert walked == {} or max(walked.values()) == 1.0
    assert all(0 < mass <= 1 for mass in walked.values())
    again = Links(found[::-1]).walk(dict(reversed(seeds.items())), onward=onward)
    assert set(again) == set(walked)
    assert all(abs(again[p] - walked[p]) < 1e-9 for p in walked)


def test_blending_adds_and_brings_in_what_was_not_found() -> None:
    found = [("a", 4.0), ("b", 2.0)]
    assert blended(found, {"b": 1.0, "c": 0.2}, 1.0) == [("b", 1.5), ("a", 1.0), ("c", 0.2)]
    assert blended(found, {}, 1.0) == [("a", 1.0), ("b", 0.5)]
    assert blended([], {"c": 1.0}, 0.5) == [("c", 0.5)]


def test_titles_name_things_without_their_qualifier() -> None:
    assert without_qualifier("Alien (film)") == "Alien"
    assert without_qualifier("(untitled)") == "(untitled)"
    assert names_of_title("Alien (film)") == ("alien film", "alien")
