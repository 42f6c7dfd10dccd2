"""Rows of tasks: what is read of them, and errors that name file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import UsageError
from assistant.pipeline import MAX_QUESTION_CHARACTERS
from eval.response_tasks import Exchange, load_tasks


def row(identity: str = "t1", **changes: Any) -> dict[str, Any]:
    return {
        "_id": identity,
        "text": "And how fast does it grow?",
        "history": [
            {"role": "user", "content": "What is kelp?"},
            {"role": "assistant", "content": "Kelp is seaweed."},
        ],
        "answerability": ["ANSWERABLE"],
        "question_type": ["Factoid", "Keyword"],
        "multi_turn": ["Follow-up"],
        "reference_answers": ["Half a metre a day."],
        "reference_passages": ["k", "k", "o"],
        **changes,
    }


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "tasks.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def test_a_row_is_read(tmp_path: Path) -> None:
    (task,) = load_tasks(write(tmp_path, row()))
    assert task.id == "t1"
    assert task.history == (Exchange("What is kelp?", "Kelp is seaweed."),)
    assert task.answerability == "ANSWERABLE"
    assert task.question_types == ("Factoid", "Keyword")
    assert task.references == ("Half a metre a day.",)
    assert task.reference_passages == ("k", "o")  # each counts once


def test_what_may_be_absent_or_plain(tmp_path: Path) -> None:
    plain = row(answerability="unanswerable", history=[], reference_answers=[" "])
    for name in ("question_type", "multi_turn", "reference_passages"):
        del plain[name]
    (task,) = load_tasks(write(tmp_path, plain))
    assert task.answerability == "UNANSWERABLE"
    assert (task.question_types, task.references, task.reference_passages) == ((), (), ())


def test_messages_without_a_reply(tmp_path: Path) -> None:
    history = [{"role": "user", "content": word} for word in ("a", "b")]
    history.append({"role": "assistant", "content": "c"})
    (task,) = load_tasks(write(tmp_path, row(history=history)))
    assert task.history == (Exchange("a", ""), Exchange("b", "c"))


USER = {"role": "user", "content": "a"}
REPLY = {"role": "assistant", "content": "b"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": " "}, "text is no text"),
        ({"text": ["a"]}, "text is no text"),
        ({"text": "x" * (MAX_QUESTION_CHARACTERS + 1)}, "text has more than"),
        ({"history": "a"}, "history is no list"),
        ({"history": ["a"]}, "message 1 of the history is no object"),
        ({"history": [REPLY]}, "message 1 of the history replies to no message"),
        ({"history": [USER, REPLY, REPLY]}, "message 3 of the history replies to no message"),
        ({"history": [USER, {"role": "bot", "content": "b"}]}, "'bot', not user or assistant"),
        ({"history": [{"role": "user"}]}, "content of message 1 of the history is no text"),
        ({"history": [USER, {**REPLY, "content": 3}]}, "content of message 2"),
        ({"answerability": ["MAYBE"]}, "answerability is ['MAYBE'], not one of ANSWERABLE"),
        ({"answerability": ["PARTIAL", "ANSWERABLE"]}, "answerability is"),
        ({"answerability": []}, "answerability is []"),
        ({"reference_answers": [3]}, "reference_answers is no list of texts"),
        ({"reference_passages": {"k": 1}}, "reference_passages is no list of texts"),
        ({"_id": "t1"}, "_id 't1' stands on an earlier line too"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write(tmp_path, row("t1"), row("t2", **changes))
    with pytest.raises(UsageError) as caught:
        load_tasks(path)
    assert caught.value.message.startswith(f"{path}, line 2: ")
    assert message in caught.value.message
    assert caught.value.remedy


def test_lines_are_counted_with_the_empty_ones(tmp_path: Path) -> None:
    path = write(tmp_path, row())
    path.write_text(f"{path.read_text()}\n\n{json.dumps({'_id': 'x', 'text': 'y'})}\n")
    with pytest.raises(UsageError, match=r"line 4: no history, answerability, reference_answers"):
        load_tasks(path)


def test_no_tasks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no tasks"):
        load_tasks(write(tmp_path))


def test_the_sample_hangs_on_the_seed(tmp_path: Path) -> None:
    path = write(tmp_path, *(row(f"t{n}") for n in range(30)))
    samples = [[t.id for t in load_tasks(path, limit=5, seed=seed)] for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]
    assert all(len(set(sample)) == 5 for sample in samples)
    assert [t.id for t in load_tasks(path, limit=99)] == [f"t{n}" for n in range(30)]
