"""The report on thinking: what is kept apart, and which half a question is in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.collections import load_collection
from eval.thoughts import Answered, Asked, Row, load_asked, report


def asked(number: int, kind: str = "bridge") -> Asked:
    return Asked(f"q{number}", "?", "gold", kind, frozenset(("a", "b")))


def row(number: int, with_: Answered, without: Answered, *, kind: str = "bridge") -> Row:
    before = ("a", "x", "y", "z", "w", "b")
    after = ("a", "b", "x", "y", "z", "w")
    return Row(asked(number, kind), before, after, without, with_, 2, 10, 1.5)


ROWS = [
    row(1, Answered("gold", "exact", 1.0, 0.5), Answered(None, "abstained", 0.0, 1.0)),
    row(2, Answered("gold x", "wrong", 0.67, 0.5), Answered("gold", "exact", 1.0, 1.0)),
    row(3, Answered("gone", "error"), Answered("no", "wrong"), kind="comparison"),
    row(4, Answered(None, "abstained"), Answered("no", "wrong"), kind="comparison"),
]


def test_endings_are_kept_apart_and_sum_to_one() -> None:
    found = report(ROWS)
    assert found["with"] == {
        "em": 0.25,
        "f1": 0.4175,
        "abstained": 0.25,
        "wrong": 0.25,
        "error": 0.25,
    }
    for side in ("with", "without"):
        endings = ("em", "abstained", "wrong", "error")
        assert sum(found[side][name] for name in endings) == pytest.approx(1.0)
    assert found["gain"]["em"] == 0.0
    assert 0 < found["gain"]["p"] <= 1
    assert (found["calls"], found["tokens"], found["questions"]) == (2.0, 10.0, 4)
    assert found["seconds"] == pytest.approx(1.75)


def test_supporting_passages_before_and_after() -> None:
    supporting = report(ROWS)["supporting"]
    assert supporting["before@5"] == 0.5
    assert supporting["after@5"] == supporting["all_after@5"] == 1.0
    assert supporting["all_before@5"] == 0.0
    assert supporting["all_before@10"] == supporting["all_after@10"] == 1.0
    assert supporting["p_all@10"] == 1.0


def test_by_type_and_without_answers() -> None:
    found = report(ROWS)
    assert {kind: own["questions"] for kind, own in found["by_type"].items()} == {
        "bridge": 2,
        "comparison": 2,
    }
    bare = [row(1, Answered(), Answered())]
    assert "with" not in report(bare)
    assert "supporting" in report(bare)


def test_halves_are_apart_and_together_all(tmp_path: Path) -> None:
    ids = [f"q{number}" for number in range(40)]
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "title": "", "text": "x"}\n')
    lines = [json.dumps({"_id": i, "text": f"{i}?", "answer": "x", "type": "bridge"}) for i in ids]
    (tmp_path / "queries.jsonl").write_text("\n".join(lines))
    judged = "\n".join(f"{i}\ta\t1" for i in ids)
    (tmp_path / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}\n")
    collection = load_collection(tmp_path)
    halves = [
        {one.id for one in load_asked(collection, half=half)}
        for half in ("development", "held-out")
    ]
    assert halves[0] | halves[1] == set(ids)
    assert not halves[0] & halves[1]
    assert min(map(len, halves)) > 5
    assert len(load_asked(collection)) == 40
