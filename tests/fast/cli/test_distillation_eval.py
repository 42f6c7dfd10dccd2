"""`assistant eval distillation` and `threshold`, as far as they need no weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.answering.small_reader import SmallReader
from assistant.errors import ModelMissingError
from eval import systems
from tests.fast.assistant.spans import TellingSpans
from tests.fast.cli.conftest import Call

ROWS = [
    {
        "_id": "a",
        "title": "Kelp",
        "passage": "Kelp grows half a metre a day. It was first farmed in 1952.",
        "question": "How much does kelp grow?",
        "answers": ["half a metre"],
        "answerable": True,
    },
    {
        "_id": "b",
        "title": "Otters",
        "passage": "Sea otters sleep on their backs.",
        "question": "How deep do otters dive?",
        "answers": [],
        "answerable": False,
    },
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return file


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The small reader points where it is told to."""

    def student(workspace, *, short=False, **_):
        threshold = workspace.settings.answering.small_threshold or 0.0
        spans = TellingSpans({"half a metre": 2.0, "backs": -2.0})
        return SmallReader(spans, None, threshold=threshold, short=short)

    monkeypatch.setitem(systems._MAKERS, "student", lambda w: student(w, short=True))
    monkeypatch.setattr("assistant.reading.small_reader", student)
    yield


def test_a_table_and_a_file(call: Call, rows: Path, tmp_path: Path, told: None) -> None:
    out = tmp_path / "report.json"
    flags = ("eval", "distillation", rows, "--readers", "student", "--no-memory")
    done = call(*flags, "--out", out, "--calibration", rows, "--json")
    assert done.status == 0, done.err
    row = done.json["files"]["rows.jsonl"]["settings"]["given"]["systems"]["student"]
    assert row["f1"]["mean"] == row["abstain_recall"]["mean"] == 1.0
    stored = json.loads(out.read_text())
    assert stored["files"] == done.json["files"]
    assert stored["answers"]["rows.jsonl"][0]["given"]["student"]["text"] == "half a metre"
    shown = call(*flags, "--calibration", rows)
    assert shown.status == 0
    assert "rows.jsonl: 2 questions, 1 with an answer" in shown.out
    assert "1.000  1.00–1.00" in shown.out and "AURC" in shown.out and "ECE" in shown.out
    assert "F1 of all questions by title" in shown.out


def test_answers_of_a_language_model_are_taken_over(
    call: Call, rows: Path, tmp_path: Path, told: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = tmp_path / "earlier.json"
    given = {"text": "half a mile", "seconds": 8.0, "cpu_seconds": 4.0}
    other = {**given, "text": None}
    stored = [
        {"id": row["_id"], "question": row["question"], "given": own, "retrieved": {}}
        for row, own in zip(ROWS, [{"teacher": given}, {"teacher": other}], strict=True)
    ]
    earlier.write_text(json.dumps({"answers": {"rows.jsonl": stored}}))
    monkeypatch.setitem(systems._MAKERS, "teacher", lambda w: None)  # it is not asked
    flags = ("eval", "distillation", rows, "--no-memory", "--json", "--readers", "teacher,student")
    done = call(*flags, "--earlier", earlier)
    assert done.status == 0, done.err
    found = done.json["files"]["rows.jsonl"]["settings"]["given"]["systems"]
    assert found["teacher"]["answerable_f1"]["mean"] == 0.5  # one of two words each
    assert found["teacher"]["abstain_recall"]["mean"] == 1.0
    assert found["teacher"]["seconds"] == 8.0
    assert found["student"]["speed"]["questions"] == 2
    earlier.write_text("[]")
    done = call(*flags, "--earlier", earlier)
    assert done.status == 2 and "no report with answers" in done.err


def test_the_threshold_decides(call: Call, rows: Path, told: None) -> None:
    flags = ("eval", "distillation", rows, "--readers", "student", "--no-memory", "--json")
    done = call("--set", "answering.small_threshold=5", *flags)
    row = done.json["files"]["rows.jsonl"]["settings"]["given"]["systems"]["student"]
    assert (row["abstained"], row["answerable_f1"]["mean"]) == (2, 0.0)


def test_threshold_for_one_and_for_several_passages(call: Call, rows: Path, told: None) -> None:
    done = call("eval", "threshold", rows, "--open-book", "--neighbours", "2", "--json")
    assert done.status == 0, done.err
    # given: the first scores 2, the second −2; among neighbours the second also may find 2
    assert set(done.json["curves"]) == {"given", "2 passages"}
    assert -2 < done.json["chosen"] <= 2
    shown = call("eval", "threshold", rows)
    assert shown.status == 0
    assert "answering.small_threshold=" in shown.out and "R none" in shown.out


def test_wrong_use_is_said(call: Call, rows: Path, told: None) -> None:
    flags = ("eval", "distillation", rows, "--no-memory")
    done = call(*flags, "--readers", "studnet")
    assert done.status == 2 and "student" in done.err
    assert call(*flags, "--readers", " , ").status == 2
    assert call(*flags, "--readers", "student", "--index", "x", "--open-book").status == 2
    done = call(*flags, "--readers", "student", "--index", "none")
    assert done.status != 0 and "none" in done.err
    done = call(*flags, "--readers", "student+knowledge")
    assert done.status == 2 and "--open-book" in done.err


def test_missing_weights_name_their_remedy(
    call: Call, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(workspace):
        raise ModelMissingError("no weights", remedy="assistant models fetch answerer")

    monkeypatch.setitem(systems._MAKERS, "student", absent)
    for names in ("student", "teacher", "untrained"):
        done = call("eval", "distillation", rows, "--no-memory", "--readers", names)
        assert done.status == 1 and "models fetch" in done.err


def test_readers_by_their_other_names(call: Call, rows: Path) -> None:
    done = call("eval", "answers", rows, "--reader", "teacher")
    assert done.status == 1 and "models fetch" in done.err  # the answerer, which is not there
    assert call("eval", "answers", rows, "--reader", "pupil").status == 2
    shown = call("eval", "answers", "--help")
    assert "teacher" in shown.out and "student" in shown.out
