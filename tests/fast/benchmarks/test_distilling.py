"""The comparison of parts of a recipe: its tables, and that its recipes can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.distillation.losses import LOSSES
from assistant.distillation.recipe_file import read_recipe
from benchmarks.distilling import narrowed, table
from benchmarks.distilling_families import FAMILIES, Budget, Data, Family
from benchmarks.distilling_reader import write_answerable

FAMILY = Family("a student", "mrr", lambda _: {"loop": {}}, {"plain": {}, "more": {}, "bad": {}})


def result(variant: str, seed: int, mrr: float, **changes: Any) -> dict[str, Any]:
    made = {"family": "f", "variant": variant, "steps": 5, "seed": seed, "mrr": mrr, "seconds": 4.0}
    return {**made, **changes}


def test_differences_are_of_runs_with_the_same_seed() -> None:
    results = [
        *(result("plain", seed, mrr) for seed, mrr in enumerate([0.1, 0.5, 0.9])),
        # by seed +.1 and +.3: mean .2, deviation √.02 = .141; the plain loss of seed 0 is not used
        result("more", 1, 0.6, seconds=8.0),
        result("more", 2, 1.2),
        result("more", 0, 9.0, steps=6),
        result("more", 0, 9.0, precision="bf16"),
        result("more", 0, 9.0, family="other"),
        {"family": "f", "variant": "bad", "steps": 5, "seed": 0, "error": "it broke"},
    ]
    lines = table("f", FAMILY, Budget(5), results).splitlines()
    assert lines[-3:] == [
        "| plain | 0.500 ± 0.400 |  | 3 | 4 |",
        "| more | 0.900 ± 0.424 | +0.200 ± 0.141 | 2 | 6 |",
        "| bad | it broke | | 0 | |",
    ]


def test_the_plain_loss_stays_beside_the_variants_that_are_named() -> None:
    assert list(narrowed(FAMILY, ["bad"]).variants) == ["plain", "bad"]
    assert narrowed(FAMILY, None) is FAMILY
    # what was not run is said
    assert "| bad | not run | | 0 | |" in table("f", narrowed(FAMILY, ["bad"]), Budget(5), [])


@pytest.mark.parametrize("name", list(FAMILIES))
def test_every_variant_is_a_recipe_of_known_parts(name: str, tmp_path: Path) -> None:
    data = Data(tmp_path / "train.jsonl", tmp_path / "held.jsonl", tmp_path)
    for variant in FAMILIES[name].variants:
        made = FAMILIES[name].recipe(variant, data, Budget(4, "bf16"), seed=1)
        recipe = read_recipe(yaml.safe_dump(made), tmp_path)
        assert recipe.loop.seed == 1 and recipe.loop.precision == "bf16"
        assert (recipe.loop.steps or 0) * recipe.loop.generations == 4
        for spec in recipe.losses:
            LOSSES.get(spec.name)(**spec.parameters)


def test_what_is_read_of_the_questions_is_what_can_be_answered(tmp_path: Path) -> None:
    rows = [{"question": "Who?", "answerable": True}, {"question": "Why?", "answerable": False}]
    file = tmp_path / "all.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    write_answerable(file, tmp_path / "some.jsonl")
    kept = (tmp_path / "some.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["question"] for line in kept] == ["Who?"]
