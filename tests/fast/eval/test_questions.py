"""Questions from JSON lines and from SQuAD's own files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.errors import UsageError
from eval.questions import Question, given_passage, load_questions

V1 = {
    "data": [
        {
            "title": "Super_Bowl_50",
            "paragraphs": [
                {
                    "context": "The Panthers gave up 308 points.",
                    "qas": [
                        {
                            "id": "a",
                            "question": "How many?",
                            "answers": [
                                {"answer_start": 21, "text": "308"},
                                {"answer_start": 21, "text": "308"},
                                {"answer_start": 21, "text": "308 points"},
                            ],
                        }
                    ],
                }
            ],
        },
        {"paragraphs": [{"context": "Nothing.", "qas": []}]},
    ]
}


def test_squad_v1(tmp_path: Path) -> None:
    file = tmp_path / "xquad.en.json"
    file.write_text(json.dumps(V1, indent=2))
    assert load_questions(file) == [
        Question(
            "a",
            "The Panthers gave up 308 points.",
            "Super Bowl 50",
            "How many?",
            ("308", "308 points"),
            True,
        )
    ]


def test_squad_v2_says_what_is_impossible(tmp_path: Path) -> None:
    asked = {"id": "b", "question": "Who?", "answers": [], "is_impossible": True}
    v2 = {"data": [{"title": "T", "paragraphs": [{"context": "P.", "qas": [asked]}]}]}
    file = tmp_path / "dev.json"
    file.write_text(json.dumps(v2))
    (question,) = load_questions(file)
    assert not question.answerable and question.answers == ()


@pytest.mark.parametrize("text", ["[]", "{", '{"data": 3}', '{"data": [{"paragraphs": [{}]}]}'])
def test_what_is_no_squad_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"bad\.json is no file of SQuAD's form"):
        load_questions(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("no.json", "no.jsonl"):
        with pytest.raises(UsageError, match=r"cannot be read|does not exist"):
            load_questions(tmp_path / name)


def test_lines_and_samples(tmp_path: Path) -> None:
    rows = [
        {"_id": f"q{n}", "passage": f"P {n}.", "question": "?", "answers": ["P"][: n % 2]}
        for n in range(6)
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    every = load_questions(file)
    assert [q.answerable for q in every] == [False, True] * 3
    sampled = load_questions(file, limit=3, seed=5)
    assert sampled == load_questions(file, limit=3, seed=5) != every[:3]
    assert set(sampled) < set(every)
    shown = given_passage(every[1])
    assert (shown.number, shown.text, shown.end) == (1, "P 1.", 4)
