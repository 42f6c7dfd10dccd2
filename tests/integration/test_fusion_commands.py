"""`assistant eval fusion` and `eval reranking` on small collections, with the real small weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.cli.main import run
from tests.conftest import weights

pytestmark = pytest.mark.integration

TEXTS = {
    "lease": "The lease of the flat in Lyon ends on 31 March 2027.",
    "rent": "The rent of the flat is 870 euros a month.",
    "otters": "Sea otters sleep on their backs, holding each other's paws.",
    "kelp": "Kelp grows half a metre a day in cold water.",
    "bread": "Bread is baked from flour, water, salt and yeast.",
    "paris": "Paris is the capital and largest city of France.",
}
QUESTIONS = {
    "when does the contract of the apartment end": "lease",
    "how much is the flat": "rent",
    "how do otters sleep": "otters",
    "how fast does kelp grow": "kelp",
    "what is bread made of": "bread",
    "capital of France": "paris",
}


def _collection(folder: Path, questions: dict[str, str]) -> Path:
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "title": "", "text": text} for name, text in TEXTS.items()]
    queries = [{"_id": f"q{n}", "text": text} for n, text in enumerate(questions)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    judged = [f"q{n}\t{passage}\t1" for n, passage in enumerate(questions.values())]
    (folder / "qrels" / "test.tsv").write_text("\n".join(judged), encoding="utf-8")
    return folder


@pytest.fixture
def collections(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two collections over one corpus, and a home of their own."""
    weights("embedder"), weights("sparse")
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    asked = list(QUESTIONS.items())
    return [
        str(_collection(tmp_path / "first", dict(asked[:3]))),
        str(_collection(tmp_path / "second", dict(asked[3:]))),
    ]


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def test_fusion_weights_are_validated(
    collections: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.json"
    arguments = ["eval", "fusion", *collections, "--folds", "3", "--step", "0.5", "--json"]
    report = _json(capsys, *arguments, "--out", str(out))
    assert report == json.loads(out.read_text(encoding="utf-8"))
    assert report["collections"] == ["first", "second"]
    assert report["default"] == "min-max .40/.35/.25"
    ways = {way["way"]: way for way in report["ways"]}
    assert {"min-max", "rrf", "combmnz", "z-score", "tm2c2", "everything"} <= set(ways)
    assert ways["rrf"]["candidates"] == 7
    assert len(ways["rrf"]["folds"]["chosen"]) == 3
    assert len(ways["rrf"]["leave_one_out"]["chosen"]) == 2
    found = ways["min-max"]["folds"]["collections"][1]
    assert found["queries"] == 3 and found["default_nDCG@5"] > 0.9
    assert run(["eval", "fusion", *collections, "--folds", "3", "--step", "0.5"]) == 0
    shown = capsys.readouterr().out
    assert "chosen on other queries (3 folds)" in shown and "mean difference" in shown


def test_late_interaction_is_validated(
    collections: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["eval", "reranking", *collections, "--folds", "3", "--depth", "4"]
    report = _json(capsys, *arguments, "--json")
    assert (report["reranker"], report["depth"]) == ("late interaction", 4)
    (way,) = report["ways"]
    assert way["candidates"] == 11
    assert {one["collection"] for one in report["milliseconds_a_query"]} == {"first", "second"}
    assert all(one["median"] > 0 for one in report["milliseconds_a_query"])
    assert run(arguments) == 0
    assert "milliseconds a query" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["fusion", "--step", "0.3"], "does not divide 1"), (["fusion", "--folds", "9"], "2 to 3")],
)
def test_impossible_settings_say_what_is_possible(
    collections: list[str],
    arguments: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["eval", *arguments, *collections]) == 2
    assert told in capsys.readouterr().err


def test_a_missing_cross_encoder_is_told(
    collections: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = str(tmp_path / "absent")
    assert run(["eval", "reranking", *collections, "--cross-encoder", absent, "--folds", "2"]) == 1
    assert "no model weights" in capsys.readouterr().err
