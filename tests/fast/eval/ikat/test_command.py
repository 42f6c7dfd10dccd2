"""`assistant eval ikat`: statuses, both streams, and the documented shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.cli.main import run as run_command
from tests.fast.eval.ikat.samples import PASSAGES, document, lines, run_file, topics, write


@pytest.fixture(autouse=True)
def _loud_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command silences logging for its process, which here is that of all tests."""
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)


@pytest.fixture
def qrels(tmp_path: Path) -> Path:
    path = tmp_path / "some.qrels"
    grades = [f"3_{turn} 0 {PASSAGES[1]} 4\n3_{turn} 0 {PASSAGES[2]} 1\n" for turn in (1, 2, 5)]
    path.write_text("".join(grades), encoding="utf-8")
    return path


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = run_command(["eval", "ikat", *map(str, arguments)])
    streams = capsys.readouterr()
    return status, streams.out, streams.err


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    status, out, _ = call(capsys, *arguments, "--json")
    assert out.count("\n") == 1
    return status, json.loads(out)


def test_score_in_words(tmp_path: Path, qrels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "score", run_file(tmp_path, 2024), "--qrels", qrels)
    assert status == 0
    (row,) = [line.split() for line in out.splitlines() if line.startswith("hill  ")][:1]
    # two turns: a of grade 4 at rank 2; the third is missing and counts 0
    assert row[4] == f"{2 / 3 / 5:.4f}"  # P@5
    assert row[-1] == f"{1 / 3:.4f}"  # RR@10
    assert "relevant from 2" in out
    assert "hill: 2 turns, 0 of them not judged" in out
    assert "1 judged turns missing, count 0; mean over 3" in out
    assert "randomisation" not in out  # one run


def test_score_as_json(tmp_path: Path, qrels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = write(tmp_path / "topics.json", topics(2024))
    plain = write(tmp_path / "plain.json", {"3_1": {PASSAGES[1]: 1.0}, "3_2": {}})
    arguments = ("--qrels", qrels, "--relevant-from", 1, "--ptkb-qrels", labels, "--by-turn")
    status, found = as_json(capsys, "score", run_file(tmp_path, 2024), plain, *arguments)
    assert status == 0
    assert (found["turns_judged"], found["relevant_from"], found["missing"]) == (3, 1, "zero")
    assert found["thresholds"]["P@5"] == "relevant from grade 1"
    assert found["test"] == {"measure": "nDCG@5", "rounds": 10_000, "seed": 0}
    first, second = found["runs"]
    assert (first["run"], first["turns_in_run"], first["turns_missing"]) == ("hill", 2, 1)
    assert first["measures"]["P@5"] == round(2 * 2 / 5 / 3, 4)
    assert first["by_turn"]["3_1"]["RR"] == 0.5
    assert first["comparison"] is None
    assert first["statements"]["pooled"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert first["statements"]["mean_all"]["f1"] == 0.5
    assert first["statements"]["by_turn"]["3_2"]["f1"] == 0.0
    assert second["run"] == "plain"
    assert second["statements"] is None  # a ranking alone
    assert set(second["comparison"]) == {"difference", "turns", "p", "p_holm"}
    assert second["comparison"]["turns"] == 3


def test_two_runs_of_one_name_are_told_apart(
    tmp_path: Path, qrels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run_file(tmp_path, 2024)
    other = write(tmp_path / "other.json", document(2024))
    _, found = as_json(capsys, "score", path, other, "--qrels", qrels, "--missing", "skip")
    assert [run["run"] for run in found["runs"]] == [str(path), str(other)]
    assert found["runs"][0]["turns_counted"] == 2
    status, out, _ = call(
        capsys, "score", path, other, "--qrels", qrels, "--by-turn", "--test-measure", "AP"
    )
    assert status == 0
    assert "p (Holm)" in out
    assert sum(line.startswith("3_2 ") for line in out.splitlines()) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--year", "2025"], "form of 2024, not of 2025"),
        (["--test-measure", "nDCG@7"], "unknown measure 'nDCG@7'"),
        (["--missing", "none"], "unknown way to count missing turns"),
        (["--relevant-from", "5"], "invalid value for '--relevant-from'"),
        (["--topics", "topics.json"], "--topics alone has no use"),
    ],
)
def test_wrong_options(
    options: list[str],
    message: str,
    tmp_path: Path,
    qrels: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, error = call(capsys, "score", run_file(tmp_path, 2024), "--qrels", qrels, *options)
    assert (status, out) == (2, "")
    assert message in error


def test_broken_run_is_named(
    tmp_path: Path, qrels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines()
    rows[1]["references"]["a"] = float("nan")
    path = write(tmp_path / "run.jsonl", rows)
    status, _, error = call(capsys, "score", path, "--qrels", qrels)
    assert status == 2
    assert f"{path}, line 2, turn 3-1_2: score nan of a" in error


def test_rankings_alone_have_no_statements(
    tmp_path: Path, qrels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = write(tmp_path / "plain.json", {"3_1": {PASSAGES[1]: 1.0}})
    labels = write(tmp_path / "topics.json", topics(2024))
    status, _, error = call(capsys, "score", plain, "--qrels", qrels, "--ptkb-qrels", labels)
    assert status == 2
    assert "no run holds statements" in error


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_validate_good(year: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = write(tmp_path / "topics.json", topics(year))
    path = run_file(tmp_path, year)
    status, out, _ = call(capsys, "validate", path, "--topics", labels)
    assert status == 0
    assert out.splitlines() == [f"{path} keeps the rules of {year}: 0 errors, 0 warnings"]
    status, found = as_json(capsys, "validate", path, "--topics", labels, "--year", year)
    wanted = {"ok": True, "year": year, "errors": 0, "warnings": 0, "violations": []}
    assert (status, found) == (0, {"run": str(path), **wanted})


def test_validate_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = write(tmp_path / "topics.json", topics(2025))
    rows = lines()
    rows[1]["responses"][0]["text"] = ""
    rows[0]["responses"][0]["ptkb_provenance"] = ["I said [so]."]
    path = write(tmp_path / "run.jsonl", rows)
    status, out, _ = call(capsys, "validate", path, "--topics", labels)
    assert status == 1
    assert ["error", "2", "3-1_2", "text"] in [line.split()[:4] for line in out.splitlines()]
    assert "I said [so]." in out
    assert out.endswith("breaks the rules of 2025: 1 errors, 1 warnings\n")
    status, found = as_json(capsys, "validate", path, "--topics", labels)
    assert (status, found["ok"], found["errors"], found["warnings"]) == (1, False, 1, 1)
    assert found["violations"][1] == {
        "line": 2,
        "turn": "3-1_2",
        "rule": "text",
        "message": "the response's text is empty",
        "level": "error",
    }


def test_validate_with_topics_of_another_year(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "topics.json", topics(2025))
    path = run_file(tmp_path, 2024)
    status, _, error = call(capsys, "validate", path, "--topics", labels, "--year", "2024")
    assert status == 2
    assert "topics of 2025, not of 2024" in error
