"""`assistant eval distillation` and `threshold` as a person runs them, with the shipped reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.errors import ModelMissingError
from assistant.models.shipped import READER_SPAN, READER_WORDS, shipped
from assistant.settings import load_settings
from eval.questions import Question
from eval.reader_memory import reader_memory
from tests.conftest import weights
from tests.integration.commands import Command, command, place  # noqa: F401 - fixtures

pytestmark = pytest.mark.integration

FLAT = "The lease of the flat in Lyon ends on 31 March 2027. The rent is 870 euros a month."
OTTERS = "Sea otters wrap themselves in kelp so as not to drift apart while they sleep."
_LARGE = 4 * 2**30  # more than any reader needs
# Easy ones: what is tested is that the parts fit together, not how good the reader is.
ROWS = [
    ("end", FLAT, "When does the lease of the flat in Lyon end?", ["31 March 2027"]),
    ("rent", FLAT, "How much is the rent of the flat a month?", ["870 euros"]),
    ("kelp", OTTERS, "What do sea otters wrap themselves in?", ["kelp"]),
    ("moon", OTTERS, "Who was the first person on the moon?", []),
]


@pytest.fixture(scope="module")
def rows(place: Path) -> Path:  # noqa: F811 - the fixture
    try:
        shipped(READER_SPAN)
    except ModelMissingError as error:
        pytest.skip(str(error))
    file = place / "rows.jsonl"
    file.write_text(
        "".join(
            json.dumps(
                {
                    "_id": name,
                    "title": "",
                    "passage": passage,
                    "question": question,
                    "answers": answers,
                    "answerable": bool(answers),
                }
            )
            + "\n"
            for name, passage, question, answers in ROWS
        )
    )
    return file


def test_student_given_and_retrieved(command: Command, rows: Path) -> None:  # noqa: F811
    flags = ("--readers", "student,extractive", "--open-book", "--no-memory", "--json")
    done = command("eval", "distillation", str(rows), *flags)
    assert done.returncode == 0, done.stderr
    part = json.loads(done.stdout)["files"]["rows.jsonl"]
    for setting in ("given", "retrieved"):
        found = part["settings"][setting]["systems"]["student"]
        assert found["answerable_f1"]["mean"] >= 0.9
        assert found["abstain_recall"]["mean"] == 1.0
        assert found["cpu_seconds"] > 0
    assert part["recall"]["passages"]["R@5"] == 1.0
    assert part["retention"]["student"]["retained"] == 1.0


def test_worded_answers_are_cited(command: Command, rows: Path) -> None:  # noqa: F811
    weights("smollm2-135m")
    try:
        shipped(READER_WORDS)
    except ModelMissingError as error:
        pytest.skip(str(error))
    flags = ("--readers", "student-words", "--no-memory", "--json")
    done = command("eval", "distillation", str(rows), *flags)
    assert done.returncode == 0, done.stderr
    part = json.loads(done.stdout)["files"]["rows.jsonl"]
    found = part["settings"]["given"]["systems"]["student-words"]["citations"]
    assert found["valid"] == found["precision"] == found["recall"] == 1.0


def test_threshold(command: Command, rows: Path) -> None:  # noqa: F811
    flags = ("--open-book", "--neighbours", "2", "--json")
    done = command("eval", "threshold", str(rows), *flags)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    best = found["curves"]["given"][str(found["best"]["given"])]
    assert best["f1"] >= 0.9
    again = command("eval", "threshold", str(rows), *flags)
    assert json.loads(again.stdout) == found


def test_small_reader_answers_a_file(command: Command, rows: Path) -> None:  # noqa: F811
    for flags in ((), ("--index", "notes")):
        done = command("eval", "answers", str(rows), "--reader", "student", *flags, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["reader"] == "small"


def test_memory_is_that_of_a_process_of_its_own(place: Path) -> None:  # noqa: F811
    weights("embedder")
    settings = load_settings(home=place / "home", environ={})
    asked = [Question(n, p, "", q, tuple(a), bool(a)) for n, p, q, a in ROWS[:1]]
    own = bytearray(b"x") * _LARGE
    found = reader_memory(settings, "extractive", asked)
    # interpreter and libraries alone are more than 100 MB, MiniLM in float32 is 90
    assert found.before > 100
    assert found.reader > 60
    assert found.peak < len(own) / 2**20
