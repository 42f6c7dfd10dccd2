"""Runs of a cross-encoder from recipe to export, with a tiny encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from assistant.distillation.exported import load_exported
from assistant.distillation.run import run_recipe
from assistant.errors import ReadError, UsageError
from tests.fast.assistant.distillation import tiny


def test_a_run_learns_to_rank(tmp_path: Path) -> None:
    loop = {"steps": 100, "learning_rate": 0.01, "log_every": 25, "evaluate_every": 50}
    recipe = tiny.read(tiny.pair_recipe(tmp_path, loop=loop), tmp_path)
    folder = run_recipe(recipe, tmp_path / "runs")
    measures = folder.read_json("evaluation.json")
    assert measures["mrr_after"] > max(0.8, measures["mrr_before"])
    assert set(measures) > {"ndcg_before", "ndcg_exit1", "ndcg_after", "ndcg_blend0.3"}
    assert len(folder.read_lines("evaluation-examples.jsonl")) == 10
    assert folder.read_lines("samples-after.jsonl")[0]["found"]

    model, _, description = load_exported(folder.path / "export")
    assert description["kind"] == "changed"
    assert not [name for name in description["tensors"] if "word_embeddings" in name]
    assert model.config.exits == [1, 2]
    inputs = {
        name: torch.ones(3, 5, dtype=torch.int64)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    assert model(**inputs).shape == (2, 3)


def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(tmp_path: Path) -> None:
    recipe = tiny.read(tiny.pair_recipe(tmp_path), tmp_path)
    runs = tiny.cut_and_gone_on_with(recipe, tmp_path, at=5)
    curves = [[row["loss"] for row in run.table("curves.csv")] for run in runs]
    assert curves[0] == curves[1]
    assert len(curves[0]) == 6


def test_margins_are_learnt_from_the_scores_of_the_data(tmp_path: Path) -> None:
    losses = [{"name": "margin-mse", "scale": 0.2}]
    loop = {"steps": 60, "learning_rate": 0.01, "log_every": 20}
    recipe = tiny.read(tiny.pair_recipe(tmp_path, losses=losses, loop=loop), tmp_path)
    rows = run_recipe(recipe, tmp_path / "runs").table("curves.csv")
    assert float(rows[-1]["margin-mse"]) < float(rows[0]["margin-mse"]) / 2


def test_fewer_layers_have_one_score_after_the_last(tmp_path: Path) -> None:
    made = tiny.pair_recipe(tmp_path, task={"exits": []}, student={"layers": [1]})
    export = run_recipe(tiny.read(made, tmp_path), tmp_path / "runs").path / "export"
    model, _, _ = load_exported(export)
    assert model.config.exits == [1] and model.config.num_hidden_layers == 1

    two = run_recipe(tiny.read(tiny.pair_recipe(tmp_path), tmp_path), tmp_path / "runs").path
    cut = {"model": str(two / "export"), "layers": [1]}
    again = tiny.pair_recipe(tmp_path, name="cut", task={"exits": []}, student=cut)
    with pytest.raises(UsageError, match="last score after layer 2, and 1 layers"):
        run_recipe(tiny.read(again, tmp_path), tmp_path / "runs")


def test_an_export_teaches_another_student(tmp_path: Path) -> None:
    first = tiny.read(tiny.pair_recipe(tmp_path), tmp_path)
    export = run_recipe(first, tmp_path / "runs").path / "export"
    recipe = tiny.pair_recipe(
        tmp_path, name="second", teacher={"kind": "checkpoint", "path": str(export)}
    )
    folder = run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
    assert len(folder.table("curves.csv")) == 6


def test_a_teacher_of_the_data_without_scores_is_refused(tmp_path: Path) -> None:
    recipe = tiny.pair_recipe(tmp_path)
    file = tmp_path / "ranking.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows:
        del row["scores"]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UsageError, match="have no scores"):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")


@pytest.mark.parametrize("exits", [[2, 1], [1], [0, 2], [1, 3]])
def test_exits_that_do_not_fit_are_refused(tmp_path: Path, exits: list[int]) -> None:
    recipe = tiny.pair_recipe(tmp_path, task={"exits": exits})
    with pytest.raises(UsageError, match="the last one 2"):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"positive": []}, "a positive and a negative"),
        ({"negatives": "text"}, "a list of texts"),
        ({"scores": [1.0]}, "1 scores for 4 passages"),
        ({"negatives": ["a", "a"]}, "twice"),
    ],
)
def test_lines_that_cannot_be_ranked_are_named(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    recipe = tiny.pair_recipe(tmp_path)
    file = tmp_path / "ranking.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[2].update(change)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ReadError, match=f"line 3: .*{reason}"):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
