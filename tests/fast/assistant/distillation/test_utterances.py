"""What is said in conversations, as pairs for an embedder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.distillation.examples import TextPair
from assistant.distillation.recipe_file import load_recipe
from assistant.distillation.run import run_recipe
from assistant.distillation.sources.utterances import UtteranceSource
from assistant.errors import ReadError, UsageError
from tests.fast.assistant.distillation import tiny
from tests.fast.assistant.distillation.test_retrieval_parts import RECIPES

TALK = [
    {"role": "user", "content": "Who keeps the lighthouse?"},
    {"role": "assistant", "content": "Ada Reed keeps it."},
    {"role": "user", "content": "Since when?"},
    {"role": "assistant", "content": "Since 1912."},
]


def line(text: str, resolved: str | None, history: list[dict[str, str]]) -> dict[str, Any]:
    row = {"_id": text, "text": text, "resolved": resolved, "history": history, "domain": "sea"}
    return {key: value for key, value in row.items() if value is not None}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "said.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def pairs(file: Path) -> list[tuple[str, str]]:
    found = list(UtteranceSource.model_validate({"path": (str(file),)}).examples(file))
    assert all(isinstance(pair, TextPair) and pair.domain == "sea" for pair in found)
    return [(pair.query, pair.passage) for pair in found if isinstance(pair, TextPair)]


def test_a_message_belongs_to_the_last_answer_and_to_its_question(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        line("Was he paid?", "Was Ada Reed paid?", TALK),
        line("Is it open?", "Is it open?", TALK[:2]),  # stands alone: nothing to learn twice
        line("Since when?", "Since when does Ada Reed keep it?", TALK[:1]),  # not answered yet
        line("Who keeps the lighthouse?", "Who keeps the lighthouse?", []),
        line("Why?", None, TALK),
    )
    assert pairs(file) == [
        ("Was he paid?", "Since 1912."),
        ("Was Ada Reed paid?", "Was he paid?"),
        ("Is it open?", "Ada Reed keeps it."),
        ("Since when does Ada Reed keep it?", "Since when?"),
    ]


def test_a_line_of_another_form_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, line("Was he paid?", "Was she?", TALK), {"passage": "no message"})
    with pytest.raises(ReadError, match="line 2"):
        pairs(file)


def test_the_recipe_for_conversations_runs_and_refuses_what_is_reported_on(tmp_path: Path) -> None:
    tiny.embed_recipe(tmp_path)
    tiny.conversations(tmp_path / "said.jsonl", 12)
    tiny.conversations(tmp_path / "held-v.jsonl", 6, seed=1)
    changes = {
        "student.model": str(tmp_path / "encoder"),
        "teacher.path": str(tmp_path / "encoder"),
        "data.0.path": str(tmp_path / "said.jsonl"),
        "data.1.path": str(tmp_path / "train.jsonl"),
        "data.2.path": str(tmp_path / "train.jsonl"),
        "data.3.path": str(tmp_path / "train.jsonl"),
        "held_out.0.path": str(tmp_path / "held-v.jsonl"),
        "held_out.1.path": str(tmp_path / "held.jsonl"),
        "loop.epochs": "1",
    }
    recipe = RECIPES / "embedder-talk.yaml"
    report = written(tmp_path / "report", line("Was he paid?", "Was Ada Reed paid?", TALK))
    others = load_recipe(recipe, {**changes, "reporting": f"[{report}]"})
    measures = run_recipe(others, tmp_path / "runs").read_json("evaluation.json")
    assert set(measures) == {"mrr", "teacher_mrr", "cosine"}
    own = load_recipe(recipe, {**changes, "reporting": f"[{tmp_path / 'said.jsonl'}]"})
    with pytest.raises(UsageError, match="share"):
        run_recipe(own, tmp_path / "runs")
