"""Each of the organisers' rules, broken once in a run that keeps all others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import UsageError
from eval.ikat.topics import load_topics
from eval.ikat.validation import ERROR, WARNING, Violation, validate
from tests.fast.eval.ikat.samples import PASSAGES, document, lines, run_file, topics, write


def check(folder: Path, path: Path, year: int) -> list[Violation]:
    return validate(path, load_topics(write(folder / "topics.json", topics(year))), year)


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_a_good_run(year: int, tmp_path: Path) -> None:
    assert check(tmp_path, run_file(tmp_path, year), year) == []


def second(value: Any) -> Any:
    return value["turns"][1]["responses"][0]


def passages(value: Any) -> Any:
    return second(value)["passage_provenance"]


DOCUMENT_RULES: list[tuple[int, str, Callable[[Any], Any]]] = [
    (2024, "turn-duplicate", lambda v: v["turns"].append(v["turns"][1])),
    (2024, "response", lambda v: v["turns"][1].update(responses=[])),
    (2024, "response", lambda v: v["turns"][1]["responses"].append("text")),
    (2024, "response", lambda v: second(v).update(passage_provenance=["a"])),
    (2024, "response", lambda v: passages(v)[0].pop("used")),
    (2023, "response", lambda v: passages(v)[0].pop("text")),
    (2024, "response", lambda v: second(v).update(ptkb_provenance=None)),
    (2023, "response", lambda v: second(v).update(ptkb_provenance=[1])),
    (2024, "rank", lambda v: second(v).update(rank=2)),
    (2024, "text", lambda v: second(v).update(text=" ")),
    (2024, "text", lambda v: second(v).pop("text")),
    (2024, "passage-score", lambda v: passages(v)[1].update(score=float("nan"))),
    (2024, "passage-score", lambda v: passages(v)[1].update(score="2")),
    (2024, "passage-order", lambda v: passages(v)[2].update(score=2.5)),
    (2024, "passage-duplicate", lambda v: passages(v)[2].update(id=PASSAGES[0])),
    (2024, "passage-used", lambda v: passages(v)[0].update(used=False)),
    (2024, "statement-missing", lambda v: second(v).update(ptkb_provenance=[])),
    (2024, "statement-unknown", lambda v: second(v).update(ptkb_provenance=["1", 4])),
    (2023, "statement-unknown", lambda v: second(v)["ptkb_provenance"][0].update(id="4")),
    (2023, "statement-text", lambda v: second(v)["ptkb_provenance"][0].update(text="Other.")),
]


@pytest.mark.parametrize(("year", "rule", "change"), DOCUMENT_RULES)
def test_rules_of_documents(
    year: int, rule: str, change: Callable[[Any], Any], tmp_path: Path
) -> None:
    value = document(year)
    change(value)
    path = write(tmp_path / "run.json", value)
    turn = value["turns"][1]["turn_id"]
    text = path.read_text(encoding="utf-8")
    place = text.rindex(f'"turn_id": "{turn}"')  # of a repeated turn the later one
    (found,) = check(tmp_path, path, year)
    assert (found.rule, found.turn, found.level) == (rule, turn, ERROR)
    assert found.line == text[:place].count("\n") + 1
    assert found.message


def test_limit_of_passages(tmp_path: Path) -> None:
    value = document(2024)
    for count, rules in ((999, []), (1000, ["passage-limit"])):
        second(value)["passage_provenance"] = [
            {"id": f"clueweb22-en0001-02-00003:{n}", "score": -float(n), "used": True}
            for n in range(count)
        ]
        found = check(tmp_path, write(tmp_path / "run.json", value), 2024)
        assert [v.rule for v in found] == rules


def test_no_statement_is_allowed_in_2023(tmp_path: Path) -> None:
    value = document(2023)
    second(value)["ptkb_provenance"] = []
    assert check(tmp_path, write(tmp_path / "run.json", value), 2023) == []


def test_missing_and_unknown_turns(tmp_path: Path) -> None:
    value = document(2024)
    value["turns"][1]["turn_id"] = "3_7"
    found = check(tmp_path, write(tmp_path / "run.json", value), 2024)
    assert [(v.rule, v.turn, v.line is None) for v in found] == [
        ("turn-unknown", "3_7", False),
        ("turn-missing", "3_2", True),
    ]
    del value["turns"][1]["turn_id"]
    found = check(tmp_path, write(tmp_path / "run.json", value), 2024)
    assert [v.rule for v in found] == ["turn-unknown", "turn-missing"]


def test_ranks_count_from_one_without_gaps(tmp_path: Path) -> None:
    value = document(2024)
    responses = value["turns"][1]["responses"]
    responses.append({**responses[0], "rank": 2})
    assert check(tmp_path, write(tmp_path / "run.json", value), 2024) == []
    responses[1]["rank"] = 3
    (found,) = check(tmp_path, write(tmp_path / "run.json", value), 2024)
    assert (found.rule, found.turn) == ("rank", "3_2")


@pytest.mark.parametrize("year", [2023, 2024])
def test_kinds_of_runs(year: int, tmp_path: Path) -> None:
    value = document(year)
    value["run_type"] = "only_response"
    second(value)["text"] = ""
    found = check(tmp_path, write(tmp_path / "run.json", value), year)
    # 2024 knows the kind, and then asks for no text
    assert [v.rule for v in found] == ([] if year == 2024 else ["run-type", "text"])


@pytest.mark.parametrize("key", ["run_name", "run_type", "turns"])
def test_head_of_a_document(key: str, tmp_path: Path) -> None:
    value = document(2024)
    del value[key]
    found = check(tmp_path, write(tmp_path / "run.json", value), 2024)
    assert [(v.rule, v.line, v.message) for v in found if v.rule == "run"] == [
        ("run", 1, f"no {key}")
    ]
    assert not any(v.rule == "turn-missing" for v in found)


def test_warnings_of_documents(tmp_path: Path) -> None:
    value = document(2024)
    passages(value)[1]["score"] = 3.0
    passages(value)[2]["id"] = "handbook.pdf#4"
    found = check(tmp_path, write(tmp_path / "run.json", value), 2024)
    assert {(v.rule, v.turn, v.level) for v in found} == {
        ("passage-tie", "3_2", WARNING),
        ("passage-id", "3_2", WARNING),
    }


def response(rows: Any) -> Any:
    return rows[1]["responses"][0]


LINE_RULES: list[tuple[str, Callable[[Any], Any]]] = [
    ("turn-duplicate", lambda rows: rows.insert(0, rows[1])),
    ("metadata", lambda rows: rows[1].update(metadata="us")),
    ("metadata", lambda rows: rows[1]["metadata"].update(run_id="other")),
    ("references", lambda rows: rows[1].update(references=[])),
    ("response", lambda rows: rows[1].update(responses=[])),
    ("response", lambda rows: response(rows).update(citations=[PASSAGES[0]])),
    ("response", lambda rows: response(rows).update(ptkb_provenance=[3])),
    ("rank", lambda rows: response(rows).update(rank=0)),
    ("text", lambda rows: response(rows).update(text="")),
    ("words", lambda rows: response(rows).update(text="word " * 251)),
    ("citation", lambda rows: response(rows)["citations"].update({PASSAGES[4]: 1.0})),
    ("passage-score", lambda rows: rows[1]["references"].update({PASSAGES[1]: None})),
]


@pytest.mark.parametrize(("rule", "change"), LINE_RULES)
def test_rules_of_lines(rule: str, change: Callable[[Any], Any], tmp_path: Path) -> None:
    rows = lines()
    change(rows)
    found = check(tmp_path, write(tmp_path / "run.jsonl", rows), 2025)
    assert rule in {v.rule for v in found}
    # A reference that is no reference leaves its citations without one; metadata that is none
    # also differs from the others'.
    assert {v.rule for v in found} <= {rule, "citation"}
    assert {(v.turn, v.line, v.level) for v in found} == {("3-1_2", len(rows), ERROR)}


def test_metadata_is_complete_and_of_a_known_kind(tmp_path: Path) -> None:
    for change, rule in (
        (lambda m: m.pop("team_id"), "metadata"),
        (lambda m: m.update(run_type="only_response"), "run-type"),
    ):
        rows = lines()
        for row in rows:
            change(row["metadata"])
        found = check(tmp_path, write(tmp_path / "run.jsonl", rows), 2025)
        assert [(v.rule, v.line) for v in found] == [(rule, 1), (rule, 2)]


def test_words_are_those_of_all_responses(tmp_path: Path) -> None:
    rows = lines()
    response(rows)["text"] = "word " * 125
    rows[1]["responses"].append({**response(rows), "rank": 2})
    path = tmp_path / "run.jsonl"
    assert check(tmp_path, write(path, rows), 2025) == []
    rows[1]["responses"][1]["text"] += "more"
    assert [v.rule for v in check(tmp_path, write(path, rows), 2025)] == ["words"]


def test_limit_of_references(tmp_path: Path) -> None:
    rows = lines()
    for count, rules in ((1000, []), (1001, ["reference-limit"])):
        rows[1]["references"] = {f"clueweb22-en0001-02-00001:{n}": 1.0 for n in range(count)}
        found = check(tmp_path, write(tmp_path / "run.jsonl", rows), 2025)
        assert [v.rule for v in found] == rules


def test_repeated_references(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", lines())
    text = path.read_text(encoding="utf-8")
    doubled = f'"references": {{"{PASSAGES[2]}": 7, '
    path.write_text(text.replace('"references": {', doubled, 1), encoding="utf-8")
    (found,) = check(tmp_path, path, 2025)
    assert (found.rule, found.line, found.turn) == ("passage-duplicate", 1, "3-1_1")


def test_missing_and_unknown_turns_of_lines(tmp_path: Path) -> None:
    rows = lines()
    rows[1]["turn_id"] = "3-1_9"
    found = check(tmp_path, write(tmp_path / "run.jsonl", rows), 2025)
    assert [(v.rule, v.turn, v.line) for v in found] == [
        ("turn-unknown", "3-1_9", 2),
        ("turn-missing", "3-1_2", None),
    ]


def test_warnings_of_lines(tmp_path: Path) -> None:
    rows = lines()
    response(rows)["ptkb_provenance"].append("I said so a minute ago.")
    rows[1]["references"]["handbook.pdf#4"] = 0.5
    found = check(tmp_path, write(tmp_path / "run.jsonl", rows), 2025)
    assert {(v.rule, v.line, v.level) for v in found} == {
        ("statement-unknown", 2, WARNING),
        ("passage-id", 2, WARNING),
    }


def test_line_that_is_not_json(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", lines())
    path.write_text(path.read_text(encoding="utf-8") + "\n{]\n7\n", encoding="utf-8")
    found = check(tmp_path, path, 2025)
    assert [(v.rule, v.line) for v in found] == [("json", 4), ("run", 5)]


@pytest.mark.parametrize("year", [2023, 2024, 2025])
@pytest.mark.parametrize("text", ["", "no JSON\nat all\n", '{"run_name": "x",\n'])
def test_not_json_is_one_violation(year: int, text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    (found,) = check(tmp_path, path, year)
    assert (found.rule, found.turn, found.level) == ("json", None, ERROR)
    assert found.line in (1, 2)


def test_what_is_no_run(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("[1]", encoding="utf-8")
    assert [v.rule for v in check(tmp_path, path, 2024)] == ["run"]
    with pytest.raises(UsageError, match="no rules of 2022"):
        validate(path, [], 2022)
    with pytest.raises(UsageError, match="cannot be read"):
        validate(tmp_path / "none", [], 2024)
