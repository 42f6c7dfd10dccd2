"""What the families of the comparison learn from, made by the real models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.distillation.wordings import candidates
from benchmarks.distilling_pairs import write_candidates
from benchmarks.distilling_words import write_words
from tests.conftest import weights

pytestmark = pytest.mark.integration

FACTS = [
    ("Sea otters wrap themselves in kelp so as not to drift.", "What do sea otters use?", "kelp"),
    ("The lease of the flat ends on the last day of May.", "When does the lease end?", "May"),
    ("Basalt forms where lava cools quickly at the surface.", "What forms basalt?", "lava"),
    ("The ferry to the island leaves at noon.", "When does the ferry leave?", "noon"),
]


def _questions(file: Path) -> Path:
    rows = [
        {
            "_id": f"{file.stem}-{number}",
            "passage": passage,
            "question": question,
            "answers": [answer],
            "answer_start": passage.index(answer),
            "title": "",
        }
        for number, (passage, question, answer) in enumerate(FACTS)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_candidates_have_the_scores_of_the_shipped_reranker(tmp_path: Path) -> None:
    weights("minilm")
    questions = _questions(tmp_path / "questions.jsonl")
    train, held_out = tmp_path / "train.jsonl", tmp_path / "held-out.jsonl"
    write_candidates(questions, questions, tmp_path / "reranker", train, held_out)
    assert (tmp_path / "reranker" / "config.json").is_file()
    for row in _rows(train):
        assert len(row["scores"]) == 1 + len(row["negatives"]) > 1
        assert row["scores"][0] == max(row["scores"])  # it knows which passage answers
    # the search's own scores stay beside them, and are what the held-out ones have
    assert all(row["scores"] != row["fused"] for row in _rows(train))
    assert all(max(row["scores"]) <= 1.2 for row in _rows(held_out))
    before = train.read_bytes()
    write_candidates(questions, questions, tmp_path / "reranker", train, held_out)
    assert train.read_bytes() == before


def test_sentences_are_the_shipped_wording_models(tmp_path: Path) -> None:
    weights("smollm2-135m")
    questions = _questions(tmp_path / "questions.jsonl")
    write_words(questions, questions, tmp_path)
    rows = _rows(tmp_path / "words-train.jsonl")
    assert [row["_id"] for row in rows] == [row["_id"] for row in candidates(questions, 9)]
    said = {row["question"]: row["sentence"] for row in rows}
    assert "noon" in said["When does the ferry leave?"]
    assert all(len(sentence.split()) > 2 for sentence in said.values())
    assert (tmp_path / "words-teacher" / "config.json").is_file()
