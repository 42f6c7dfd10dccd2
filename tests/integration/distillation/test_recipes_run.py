"""The smoke recipe of the span task, with the real encoder and a few steps."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from assistant.distillation.exported import load_exported
from assistant.distillation.recipe_file import load_recipe
from assistant.distillation.run import run_recipe
from tests.conftest import weights

pytestmark = pytest.mark.integration

FACTS = [
    ("Sea otters wrap themselves in kelp so as not to drift.", "What do sea otters use?", "kelp"),
    ("The lease of the flat ends on the last day of May.", "When does the lease end?", "May"),
    ("Basalt forms where lava cools quickly at the surface.", "What cools quickly?", "lava"),
    ("The ferry to the island leaves at noon from pier four.", "Where does it leave?", "pier four"),
]


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
