"""Recipes of the package with the real models and a few steps."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from assistant.distillation.exported import load_exported
from assistant.distillation.message_encoder import MessageEncoder
from assistant.distillation.recipe import Recipe
from assistant.distillation.recipe_file import load_recipe
from assistant.distillation.run import run_recipe
from assistant.understanding.types import Message
from tests.conftest import weights

pytestmark = pytest.mark.integration

FACTS = [
    ("Sea otters wrap themselves in kelp so as not to drift.", "What do sea otters use?", "kelp"),
    ("The lease of the flat ends on the last day of May.", "When does the lease end?", "May"),
    ("Basalt forms where lava cools quickly at the surface.", "What cools quickly?", "lava"),
    ("The ferry to the island leaves at noon from pier four.", "Where does it leave?", "pier four"),
]


def _lines(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def _shipped(name: str, data: Path, **changes: str) -> Recipe:
    file = Path(str(files("assistant.distillation").joinpath(f"recipes/{name}.yaml")))
    places = {"data.0.path": str(data), "held_out.0.path": str(data)}
    return load_recipe(file, {**places, **changes})


def _conversations() -> list[dict[str, Any]]:
    return [
        {
            "history": [
                {"role": "user", "content": f"Tell me about the {one}."},
                {"role": "assistant", "content": f"The {one} is old and much visited."},
            ],
            "text": f"How {asked} is it?",
            "resolved": f"How {asked} is the {one}?",
        }
        for one in ("bridge", "castle", "lighthouse", "mill")
        for asked in ("high", "old")
    ]


def test_a_critic_and_a_tuned_teacher_take_part(tmp_path: Path) -> None:
    rows = [{"passage": p, "question": q} for p, q, _ in FACTS]
    data = _lines(tmp_path / "texts.jsonl", rows)
    minilm = str(weights("minilm"))
    changes = {"student.model": minilm, "teacher.path": minilm, "data.0.sentences": "0"}
    folder = run_recipe(_shipped("embed-smoke", data, **changes), tmp_path / "runs")
    curves = folder.table("curves.csv")
    assert len(curves) == 6
    assert len({row["teacher"] for row in curves}) > 1  # the tuned part learns, too
    assert all(row["wasserstein-global"] for row in curves)
    assert folder.read_json("evaluation.json")["mrr"] > 0.5


def test_a_tuned_prompt_follows_what_the_student_writes(tmp_path: Path) -> None:
    rows = [
        {"prefix": f"{p}\n", "prompt": f"Question: {q}\nAnswer:", "completion": f" {a}"}
        for p, q, a in FACTS
    ]
    data = _lines(tmp_path / "examples.jsonl", rows)
    model = str(weights("smollm2-135m"))
    changes = {"student.model": model, "teacher.path": model, "sampling.max_tokens": "4"}
    folder = run_recipe(_shipped("prompt-smoke", data, **changes), tmp_path / "runs")
    curves = folder.table("curves.csv")
    assert len(curves) == 2 and all(float(row["teacher"]) >= 0 for row in curves)
    assert (folder.path / "export" / "adapter_model.safetensors").is_file()


def test_the_conversation_recipe_trains_minilm(tmp_path: Path) -> None:
    data = _lines(tmp_path / "said.jsonl", _conversations())
    minilm = str(weights("minilm"))
    changes = {
        "student.model": minilm,
        "teacher.path": minilm,
        "reporting": "[]",
        "loop.epochs": "null",
        "loop.steps": "8",
        "loop.log_every": "4",
    }
    folder = run_recipe(_shipped("conversation", data, **changes), tmp_path / "runs")
    losses = [float(row["loss"]) for row in folder.table("curves.csv")]
    assert losses[-1] < losses[0]
    measures = folder.read_json("evaluation.json")
    assert measures["mrr"] >= measures["raw_mrr"]
    export = folder.path / "export"
    assert (export / "adapter_model.safetensors").stat().st_size < 2_000_000
    encoder = MessageEncoder.load(export, base=Path(minilm))
    vector = encoder.encode("How old is it?", [Message("user", "Tell me about the mill.")])
    assert vector.shape == (384,)


def test_the_span_recipe_trains_minilm(tmp_path: Path) -> None:
    weights("minilm")
    rows = [
        {"_id": f"{n}-{turn}", "passage": p, "question": f"{q} ({turn})", "answers": [a]}
        for turn in range(4)
        for n, (p, q, a) in enumerate(FACTS)
    ]
    data = tmp_path / "facts.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe = load_recipe(
        Path(str(files("assistant.distillation").joinpath("recipes/span-smoke.yaml"))),
        {
            "student.model": str(weights("minilm")),
            "data.0.path": str(data),
            "held_out.0.path": str(data),
            "loop.steps": "10",
            "loop.evaluate_every": "null",
            "loop.log_every": "5",
        },
    )
    folder = run_recipe(recipe, tmp_path / "runs")
    losses = [float(row["loss"]) for row in folder.table("curves.csv")]
    assert losses[-1] < losses[0]
    export = folder.path / "export"
    assert (export / "model.safetensors").stat().st_size < 25_000_000  # no word embeddings
    model, tokenizer, _ = load_exported(export)
    assert sum(p.numel() for p in model.parameters()) > 20_000_000
    assert tokenizer.cls_token_id is not None
