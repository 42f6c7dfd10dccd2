"""Matching found facts with annotated ones, and the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import UsageError
from assistant.thoughts.extraction.types import Extraction, Extractor, Source, Term, Triple
from eval.extraction import Annotated, agreement, evaluate_extraction, load_annotated, report_json
from eval.fact_matching import Statement, alike, match, strictly_equal


def fact(text: str, **flags: object) -> Statement:
    subject, relation, object_ = (part.strip() for part in text.split("|"))
    return Statement(subject, relation, object_, **flags)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "strict", "lenient"),
    [
        ("Eiffel | design | tower", "Eiffel | design | tower", True, True),
        ("the Eiffel | Design | TOWER", "Eiffel | designed | the tower", True, True),
        ("graph | has | 14 nodes", "graph | have | 14 nodes", True, True),
        ("Eiffel | design | tower", "Gustave Eiffel | design | high tower", False, True),
        ("Eiffel | design | tower in Paris", "Eiffel | design | tower", False, True),
        ("Eiffel | born in | Dijon", "Eiffel | born | Dijon", False, True),
        ("Eiffel | born in | Dijon", "Eiffel | die in | Dijon", False, False),
        ("Paris | is | capital", "capital | is | Paris", False, True),
        ("Paris | is a | city", "Paris | is | city", False, True),
        ("Eiffel | design | tower", "tower | design | Eiffel", False, False),
        ("Paris | is in | France", "Paris | capital of | France", False, False),
        ("Eiffel | design | tower", "Eiffel | design | bridge", False, False),
        ("café | is | old", "cafe | is | old", True, True),
    ],
)
def test_strict_and_lenient(a: str, b: str, strict: bool, lenient: bool) -> None:
    assert strictly_equal(fact(a), fact(b)) is strict is strictly_equal(fact(b), fact(a))
    assert alike(fact(a), fact(b)) is lenient is alike(fact(b), fact(a))


def test_strict_asks_for_the_same_negation() -> None:
    a, b = fact("tower | is | old"), fact("tower | is | old", negated=True)
    assert not strictly_equal(a, b) and alike(a, b)


def test_matching_is_one_to_one_and_as_large_as_possible() -> None:
    found = [fact("a b | is | x"), fact("b | is | x"), fact("b | is | x")]
    wanted = [fact("b | is | x"), fact("a b | is | x")]
    # Greedily, the first could take the partner that the second needs.
    assert len(match(found, wanted, alike)) == 2
    assert match(found, wanted, alike, prefer=strictly_equal) == [(0, 1), (1, 0)]


_facts = st.lists(
    st.builds(
        Statement,
        st.sampled_from(["a", "b", "a b", "b c"]),
        st.sampled_from(["is", "born in", "design"]),
        st.sampled_from(["x", "y", "x y"]),
        st.booleans(),
    ),
    max_size=6,
)


@given(_facts, _facts)
def test_lenient_never_matches_less_than_strict(
    found: list[Statement], wanted: list[Statement]
) -> None:
    strict = match(found, wanted, strictly_equal)
    lenient = match(found, wanted, alike, prefer=strictly_equal)
    assert len(strict) <= len(lenient) <= min(len(found), len(wanted))
    assert len({i for i, _ in lenient}) == len({j for _, j in lenient}) == len(lenient)
    assert len(match(wanted, found, alike)) == len(lenient)


class Given(Extractor):
    """Gives the triples that a test wrote down."""

    fingerprint = "given"

    def __init__(self, facts: dict[str, Sequence[Statement]]) -> None:
        self._facts = facts

    def extract(self, sources: Sequence[Source]) -> list[Extraction]:
        return [
            Extraction(
                source.id,
                (),
                tuple(
                    Triple(Term(f.subject), f.relation, Term(f.object), 0, 1, negated=f.negated)
                    for f in self._facts.get(source.id, ())
                ),
            )
            for source in sources
        ]


ROWS = [
    Annotated("1", "dev", "", "text", (fact("a | is | x"), fact("b | is | y", hedged=True))),
    Annotated("2", "test", "", "text", ()),
    Annotated("3", "test", "", "text", (fact("c | design | z", valid_from="1990"),)),
]


def test_report_by_split() -> None:
    extractor = Given(
        {
            "1": [fact("a | is | x"), fact("b | is | y"), fact("q | is | q r")],
            "2": [fact("a | is | x")],
        }
    )
    report = report_json(evaluate_extraction(extractor, ROWS))
    assert report["what"] == "given"
    dev, test = report["splits"]["dev"], report["splits"]["test"]
    assert dev["strict"] == {
        "precision": 0.6667,
        "recall": 1.0,
        "f1": 0.8,
        "matched": 2,
        "found": 3,
        "annotated": 2,
    }
    assert dev["flags"] == {"pairs": 2.0, "negated": 1.0, "hedged": 0.5, "dates": 1.0}
    assert test["strict"]["f1"] == test["lenient"]["recall"] == 0.0
    assert report["splits"]["all"]["passages"] == 3


def test_agreement_of_two_annotators() -> None:
    second = [
        Annotated("1", "dev", "", "text", (fact("a | is | x"),)),
        Annotated("9", "dev", "", "other", ()),
    ]
    report = agreement(ROWS, second)
    assert (report.passages["all"], report.strict["dev"].f1) == (1, 2 / 3)
    with pytest.raises(UsageError, match="another text"):
        agreement(ROWS, [Annotated("1", "dev", "", "changed", ())])
    with pytest.raises(UsageError, match="no passage in common"):
        agreement(ROWS, second[1:])


def _line(**changes: object) -> str:
    row = {
        "id": "f1",
        "split": "dev",
        "heading": "",
        "text": "A is B.",
        "facts": [
            {
                "subject": "A",
                "relation": "is",
                "object": "B",
                "negated": False,
                "hedged": True,
                "from": "April 1992",
                "to": None,
            }
        ],
    }
    return json.dumps({**row, **changes})


def test_reading_the_file(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text(_line() + "\n" + _line(id="f2", split="test", facts=[]) + "\n", "utf-8")
    first, second = load_annotated(path)
    assert first.facts == (fact("A | is | B", hedged=True, valid_from="1992-04"),)
    assert first.source == Source("f1", "A is B.", "")
    assert load_annotated(path, split="test") == [second]
    with pytest.raises(UsageError, match="split 'nope'"):
        load_annotated(path, split="nope")


@pytest.mark.parametrize("line", ["{}", "[]", "no", _line(facts=3), _line(facts=[{}]), ""])
def test_bad_lines_are_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text(line, "utf-8")
    with pytest.raises(UsageError, match=r"facts\.jsonl"):
        load_annotated(path)
