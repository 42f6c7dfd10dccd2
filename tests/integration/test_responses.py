"""`assistant eval responses` as a person runs it, with the real small weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.commands import Command, command, place  # noqa: F401 - fixtures

pytestmark = pytest.mark.integration

CORPUS = {
    "lease": "The lease of the flat at 14 rue Garibaldi in Lyon ends on 31 March 2027.",
    "rent": "The rent of the flat in Lyon is 870 euros a month, heating not included.",
    "otters": "Sea otters wrap themselves in kelp so as not to drift apart while they sleep.",
    "boiler": "If the boiler shows error E133, the gas supply is interrupted.",
}


def _task(identity: str, text: str, label: str, reference: str, *passages: str, history=()):
    return {
        "_id": identity,
        "text": text,
        "history": [
            {"role": role, "content": content}
            for said in history
            for role, content in zip(("user", "assistant"), said, strict=True)
        ],
        "answerability": [label],
        "question_type": ["Factoid"],
        "reference_answers": [reference],
        "reference_passages": list(passages),
    }


TASKS = [
    _task("end", "When does the lease end?", "ANSWERABLE", CORPUS["lease"], "lease"),
    _task(
        "rent",
        "And how much is it a month?",
        "ANSWERABLE",
        "870 euros.",
        "rent",
        history=[("Tell me about the rent of the flat in Lyon.", "It is a flat with a rent.")],
    ),
    _task("horse", "How tall was Napoleon's horse?", "UNANSWERABLE", "I do not know."),
]


def test_responses(place: Path, command: Command) -> None:  # noqa: F811 - the fixtures
    folder = place / "responses"
    folder.mkdir()
    rows = [json.dumps({"_id": k, "title": "", "text": v}) for k, v in CORPUS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n")
    file = folder / "tasks.jsonl"
    file.write_text("".join(json.dumps(task) + "\n" for task in TASKS))
    arguments = ("eval", "responses", str(file), "--collection", str(folder))
    done = command(*arguments, "--reader", "extractive", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    by_task = report["by_task"]
    assert {name: one["outcome"] for name, one in by_task.items()} == {
        "end": "answered",
        "rent": "answered",
        "horse": "abstained",
    }
    assert by_task["end"]["measures"]["rouge_l"] > 0.8
    assert by_task["end"]["measures"]["similarity"] > 0.8
    assert "870 euros" in by_task["rent"]["response"]  # "it" was found in the history
    assert by_task["rent"]["measures"]["cited_recall"] == 1.0
    assert report["measures"]["groundedness"]["mean"] == 1.0  # quoted
    assert report["abstention"]["f1"] == 1.0
    assert report["understood_by"] == {"rules": 3}
    assert report["judge"] is None
    # the conversations of an evaluation are nobody's
    assert not (place / "home" / "conversations.sqlite").exists()
    words = command(*arguments, "--reader", "extractive", "--limit", "2", "--seed", "1")
    assert "by answerability" in words.stdout and "s a task" in words.stdout
    file.write_text(json.dumps({**TASKS[0], "answerability": ["MAYBE"]}) + "\n")
    broken = command(*arguments)
    assert broken.returncode == 2 and f"{file}, line 1" in broken.stderr
    both = command(*arguments, "--index", "notes")
    assert both.returncode == 2 and "exclude each other" in both.stderr
