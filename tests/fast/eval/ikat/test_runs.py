"""Runs: what is written is read again, and every kind of broken file is named with its place."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import StorageError, UsageError
from eval.ikat.runs import IkatRun, RunTurn, read_run, write_run
from tests.fast.eval.ikat.samples import PASSAGES, document, lines, run_file, write

IDS = st.text(min_size=1, max_size=8)
SCORES = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def runs(draw: st.DrawFn, year: int) -> IkatRun:
    """Runs that the year's form can hold whole."""
    turns = {}
    for turn in draw(st.lists(IDS, min_size=1, max_size=4, unique=True)):
        passages = draw(st.dictionaries(IDS, SCORES, max_size=5))
        statements = tuple(draw(st.lists(IDS, max_size=3, unique=True)))
        used = tuple(id_ for id_ in passages if draw(st.booleans()))
        with_texts: dict[str, Any] = {}
        if year == 2023:
            with_texts = {
                "statement_scores": {id_: draw(SCORES) for id_ in statements},
                "passage_texts": {id_: draw(st.text()) for id_ in passages},
                "statement_texts": {id_: draw(st.text()) for id_ in statements},
            }
        turns[turn] = RunTurn(turn, passages, draw(st.text()), used, statements, **with_texts)
    team = draw(st.text()) if year == 2025 else ""
    return IkatRun(draw(st.text()), draw(st.text()), year, turns, team)


@pytest.mark.parametrize("year", [2023, 2024, 2025])
@given(data=st.data())
def test_written_then_read_is_the_same(
    year: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = data.draw(runs(year))
    path = tmp_path_factory.getbasetemp() / f"run-{year}.json"
    write_run(run, path, year)
    again = read_run(path, year)
    assert again == run
    for turn, wanted in run.turns.items():
        assert list(again.turns[turn].passages) == list(wanted.passages)  # in the file's order


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_year_is_found(year: int, tmp_path: Path) -> None:
    run = read_run(run_file(tmp_path, year))
    assert (run.year, run.name, run.kind, run.ranking_only) == (year, "hill", "automatic", False)
    turn = run.turns["3_1" if year == 2024 else "3-1_1"]
    assert turn.passages == {PASSAGES[0]: 3.0, PASSAGES[1]: 2.0, PASSAGES[2]: 1.0}
    assert turn.used == ((PASSAGES[1],) if year == 2025 else (PASSAGES[0],))
    assert turn.statements == {2023: ("1",), 2024: ("1", "3"), 2025: ("I am tall.",)}[year]


@pytest.mark.parametrize("held", [2023, 2024, 2025])
def test_another_year_is_named(held: int, tmp_path: Path) -> None:
    path = run_file(tmp_path, held)
    for asked in {2023, 2024, 2025} - {held}:
        with pytest.raises(UsageError, match=f"form of {held}, not of {asked}"):
            read_run(path, asked)
    with pytest.raises(UsageError, match="no runs of year 2022"):
        read_run(path, 2022)


def test_statement_ids_of_2024_may_be_texts(tmp_path: Path) -> None:
    value = document(2024)
    value["turns"][0]["responses"][0]["ptkb_provenance"] = ["3", 1]
    run = read_run(write(tmp_path / "run.json", value))
    assert run.turns["3_1"].statements == ("3", "1")
    write_run(run, tmp_path / "again.json", 2024)
    again = json.loads((tmp_path / "again.json").read_text(encoding="utf-8"))
    assert again["turns"][0]["responses"][0]["ptkb_provenance"] == [3, 1]


def test_several_responses(tmp_path: Path) -> None:
    value = document(2024)
    second = {
        "rank": 2,
        "text": "Or a small one.",
        "ptkb_provenance": [2],
        "passage_provenance": [
            {"id": PASSAGES[0], "score": 9.0, "used": True},
            {"id": PASSAGES[1], "score": 0.1, "used": True},
            {"id": PASSAGES[4], "score": 0.5, "used": True},
        ],
    }
    value["turns"][0]["responses"].insert(0, second)
    turn = read_run(write(tmp_path / "run.json", value)).turns["3_1"]
    assert (turn.response, turn.statements) == ("Take a large frame.", ("1", "3"))
    assert turn.used == (PASSAGES[0],)
    assert turn.passages == {
        PASSAGES[0]: 9.0,
        PASSAGES[1]: 2.0,
        PASSAGES[2]: 1.0,
        PASSAGES[4]: 0.5,
    }


def test_rankings_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "plain.json", {"3-1_1": {"b": 1, "a": 2.5}, "3-1_2": {}})
    plain = read_run(path, 2023)
    assert (plain.name, plain.year, plain.ranking_only) == ("plain", 2023, True)
    assert list(plain.turns["3-1_1"].passages.items()) == [("b", 1.0), ("a", 2.5)]
    assert plain.turns["3-1_2"].passages == {}
    trec = tmp_path / "some.run"
    trec.write_text("3-1_1 Q0 b 1 1 tag\n3-1_1\tQ0 a 2 2.5 tag\n\n", encoding="utf-8")
    read = read_run(trec)
    assert (read.name, read.year, read.ranking_only) == ("tag", None, True)
    assert read.turns["3-1_1"].passages == {"b": 1.0, "a": 2.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3_1 Q0 a 1 2.0 tag\n3_1 Q0 a 2 1.0 tag\n", "line 2, turn 3_1: passage a stands"),
        ("3_1 Q0 a 1 2.0 tag\n3_1 Q0 b 2 nan tag\n", "line 2, turn 3_1: score nan"),
        ("3_1 Q0 a 1 inf tag\n", "line 1, turn 3_1: score inf"),
        ("3_1 Q0 a 1 high tag\n", "line 1, turn 3_1: score high"),
        ("3_1 Q0 a 1 2.0\n", "line 1: expected turn Q0 passage rank score tag, found 5"),
        ("hello\n", "line 1: expected turn Q0"),
        ("\n \n", "is empty"),
        ('{"3_1": {"a": 1},\n "3_1": {"b": 1}}', "line 1, turn 3_1: the turn stands there twice"),
        ('{"3_0": {},\n "3_1": {"a": 1, "a": 2}}', "line 2, turn 3_1: passage a stands"),
        ('{"3_1":\n {"a": NaN}}', "line 1, turn 3_1: score nan of a"),
        ('{"3_1": {"a": 1e999}}', "turn 3_1: score inf of a"),
        ('{"3_1": {"a": "1"}}', "turn 3_1: score '1' of a"),
        ('{"3_1": {"a": true}}', "turn 3_1: score True of a"),
        ('{"3_1": ["a"]}', "turn 3_1: expected an object of passages"),
        ('{"3_1": {"a": 1}', "line 1, column 17: not JSON"),
        ('[{"a": 1}]', "line 1: no run"),
    ],
)
def test_broken_rankings(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_run(path)
    assert message in raised.value.message
    assert "run.json" in raised.value.message


def _response(value: Any) -> Any:
    return value["turns"][1]["responses"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: _response(v)["passage_provenance"][1].update(score=float("nan")), "score nan"),
        (lambda v: _response(v)["passage_provenance"][1].update(score="2"), "score '2'"),
        (lambda v: _response(v)["passage_provenance"][1].update(score=10**400), "score 1000"),
        (lambda v: _response(v)["passage_provenance"][1].pop("id"), "no id"),
        (
            lambda v: _response(v)["passage_provenance"][1].update(id=PASSAGES[0]),
            f"passage {PASSAGES[0]} stands there twice",
        ),
        (lambda v: _response(v).update(passage_provenance={}), "passage_provenance is no list"),
        (lambda v: _response(v).update(ptkb_provenance=3), "ptkb_provenance is no list"),
        (lambda v: _response(v).update(ptkb_provenance=[None]), "statement None is no id"),
        (lambda v: _response(v).pop("text"), "no text"),
        (lambda v: _response(v).update(text=None), "text is no text"),
        (lambda v: _response(v).update(rank="first"), "rank 'first' is no number"),
        (lambda v: v["turns"][1].update(responses=[]), "no responses"),
        (lambda v: v["turns"][1].pop("responses"), "no responses"),
    ],
)
def test_broken_documents(change: Any, message: str, tmp_path: Path) -> None:
    value = document(2024)
    change(value)
    path = write(tmp_path / "run.json", value)
    text = path.read_text(encoding="utf-8")
    line = text[: text.index('"turn_id": "3_2"')].count("\n") + 1
    with pytest.raises(UsageError) as raised:
        read_run(path, 2024)
    assert raised.value.message.startswith(f"{path}, line {line}, turn 3_2: ")
    assert message in raised.value.message


def test_documents_without_their_head(tmp_path: Path) -> None:
    value = document(2024)
    value["turns"][1]["turn_id"] = "3_1"
    path = write(tmp_path / "run.json", value)
    with pytest.raises(UsageError, match="turn 3_1: the turn stands there twice"):
        read_run(path)
    del value["run_type"]
    write(path, value)
    with pytest.raises(UsageError, match="line 1: no run_type"):
        read_run(path)
    path.write_text('{"run_name": "x",\n "turns": [}', encoding="utf-8")
    with pytest.raises(UsageError, match="line 2, column 12: not JSON"):
        read_run(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row.update(turn_id="3-1_1"), "turn 3-1_1: the turn stands there twice"),
        (lambda row: row.pop("references"), "turn 3-1_2: no references"),
        (lambda row: row.pop("metadata"), "turn 3-1_2: no metadata"),
        (lambda row: row["metadata"].pop("run_id"), "turn 3-1_2: no run_id"),
        (lambda row: row["references"].update(x=float("inf")), "turn 3-1_2: score inf of x"),
        (lambda row: row.update(references=["x"]), "turn 3-1_2: expected an object"),
        (lambda row: row["responses"][0].pop("citations"), "turn 3-1_2: no citations"),
        (lambda row: row["responses"][0].update(ptkb_provenance=[3]), "no list of texts"),
        (lambda row: row.pop("turn_id"), "a turn without a turn_id"),
    ],
)
def test_broken_lines(change: Any, message: str, tmp_path: Path) -> None:
    rows = lines()
    change(rows[1])
    path = write(tmp_path / "run.jsonl", rows)
    with pytest.raises(UsageError) as raised:
        read_run(path)
    assert raised.value.message.startswith(f"{path}, line 2")
    assert message in raised.value.message


def test_line_that_is_not_json_or_repeats_a_passage(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", lines())
    good = path.read_text(encoding="utf-8")
    path.write_text(good + "{]\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 3, column 2: not JSON"):
        read_run(path)
    first, second = good.splitlines()
    second = second.replace('"references": {', f'"references": {{"{PASSAGES[2]}": 7, ')
    path.write_text(f"{first}\n{second}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=f"line 2, turn 3-1_2: passage {PASSAGES[2]} stands"):
        read_run(path)


def test_what_a_year_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("the old one", encoding="utf-8")
    run = IkatRun("x", "manual", None, {"3_1": RunTurn("3_1", {"a": 1.0}, statements=("1",))})
    with pytest.raises(UsageError, match="turn 3_1: no text of passage a"):
        write_run(run, path, 2023)
    astray = IkatRun("x", "manual", None, {"3_1": RunTurn("3_1", {}, used=("a",))})
    with pytest.raises(UsageError, match="turn 3_1 cites a, which it does not rank"):
        write_run(astray, path, 2025)
    endless = IkatRun("x", "manual", None, {"3_1": RunTurn("3_1", {"a": float("inf")})})
    for year in (2024, 2025):
        with pytest.raises(UsageError, match="no finite number"):
            write_run(endless, path, year)
    assert path.read_text(encoding="utf-8") == "the old one"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(UsageError, match="no runs of year 2026"):
        write_run(run, path, 2026)


def test_scores_of_statements_default_to_their_rank(tmp_path: Path) -> None:
    texts = {"1": "one", "2": "two"}
    turn = RunTurn("3-1_1", {}, statements=("2", "1"), statement_texts=texts)
    write_run(IkatRun("x", "manual", None, {"3-1_1": turn}), tmp_path / "run.json", 2023)
    again = read_run(tmp_path / "run.json").turns["3-1_1"]
    assert again.statement_scores == {"2": 1.0, "1": 0.5}


def test_writing_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run_file(tmp_path, 2024)
    old = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("indexes.files.os.fsync", full)
    with pytest.raises(StorageError, match="no space left"):
        write_run(IkatRun("x", "manual", None, {"3_1": RunTurn("3_1", {})}), path, 2024)
    assert path.read_bytes() == old


def test_byte_order_mark(tmp_path: Path) -> None:
    path = run_file(tmp_path, 2024)
    wanted = read_run(path)
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert read_run(path) == wanted


def test_no_place_to_write(tmp_path: Path) -> None:
    run = IkatRun("x", "manual", None, {"3_1": RunTurn("3_1", {})})
    with pytest.raises(UsageError, match="no such folder"):
        write_run(run, tmp_path / "none" / "run.json", 2024)
