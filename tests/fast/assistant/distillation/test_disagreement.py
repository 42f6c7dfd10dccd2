"""Training on those examples on which student and teacher disagree."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assistant.distillation import disagreement
from assistant.distillation.batch_plan import plan_batches
from assistant.distillation.disagreement import divergences, most_disagreed
from assistant.distillation.estimate import estimate
from assistant.distillation.loop import DistillTrainer
from assistant.distillation.recipe import Loop
from assistant.distillation.recipe_file import RecipeError
from assistant.distillation.run import prepare, run_recipe
from assistant.distillation.teachers import load_teacher
from assistant.errors import TrainingError, UsageError
from tests.fast.assistant.distillation import tiny

HALF = {"order": "disagreement", "share": 0.5}
LOSSES = [{"name": "cross-entropy"}, {"name": "forward-kl"}]


def test_the_most_disagreed_by_hand() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.4, 0.0])
    assert most_disagreed(values, 0.4).tolist() == [1, 3]
    assert most_disagreed(values, 0.2).tolist() == [1]
    assert most_disagreed(values, 0.5).tolist() == [1, 2, 3]
    assert most_disagreed(values, 0.01).tolist() == [1]
    assert most_disagreed(values, 1).tolist() == [0, 1, 2, 3, 4]


def test_an_epoch_is_one_pass_over_what_was_chosen() -> None:
    chosen = np.array([2, 3, 7, 8, 11])
    lengths = np.arange(1, 13)
    plan = plan_batches(lengths, np.zeros(12), Loop(epochs=2, batch_size=2), among=chosen)
    assert sorted(np.concatenate(plan).tolist()) == sorted(chosen.tolist() * 2)


def recipe(folder: Path, kind: str = "causal", **changes: Any) -> Any:
    """A student and a teacher of other weights, on half of the data."""
    build = {"span": tiny.span_recipe, "causal": tiny.causal_recipe, "embed": tiny.embed_recipe}
    if not (folder / "teacher").exists():
        (tiny.decoder if kind == "causal" else tiny.encoder)(folder / "teacher", seed=5)
    values = {
        "teacher": {"kind": "model", "path": "./teacher"},
        "losses": LOSSES,
        "curriculum": HALF,
    }
    return tiny.read(build[kind](folder, **values | changes), folder)


@pytest.mark.parametrize("kind", ["span", "causal"])
def test_divergences_are_means_over_the_rows_of_a_unit(tmp_path: Path, kind: str) -> None:
    made = recipe(tmp_path, kind)
    task = prepare(made, tmp_path / "cache").task
    torch.manual_seed(0)
    student = task.new_student().train()
    teacher = load_teacher(made, task, torch.device("cpu"))
    found = divergences(task, student, teacher)
    assert student.training and len(found) == len(task.units.lengths)
    for unit in (0, 3, len(found) - 1):
        batch = task.collate([unit])
        with torch.no_grad():
            logits = [task.rows(m.eval(), batch).logits for m in (student, *teacher.models)]  # type: ignore[union-attr]
        q, p = (np.array(part.double().softmax(-1).tolist()) for part in logits)
        m = (p + q) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.nansum(p * np.log(p / m), 1) / 2 + np.nansum(q * np.log(q / m), 1) / 2
        assert found[unit] == pytest.approx(each.mean(), rel=1e-3, abs=1e-6)
        assert 0 < found[unit] < math.log(2)


def test_a_resumed_run_reads_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []
    real = disagreement.divergences
    monkeypatch.setattr(disagreement, "divergences", lambda *rest: passes.append(1) or real(*rest))
    seen: list[str] = []
    compute = DistillTrainer.compute_loss

    def watched(self: Any, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        seen.extend(inputs["keys"])
        return compute(self, model, inputs, *rest, **named)

    monkeypatch.setattr(DistillTrainer, "compute_loss", watched)
    runs = tiny.cut_and_gone_on_with(recipe(tmp_path), tmp_path, at=5)
    assert len(passes) == 2  # of the whole run, and of the one that was cut, once
    curves = [[row["loss"] for row in run.table("curves.csv")] for run in runs]
    assert curves[0] == curves[1] and len(curves[0]) == 6
    records = [run.read_json("disagreement-1.json") for run in runs]
    assert records[0] == records[1]
    record = records[0]
    values = record["divergences"]
    assert (record["units"], record["chosen"], record["share"]) == (len(values), 10, 0.5)
    assert len(values) == 20  # two questions of each passage are one unit
    assert record["least"] == min(values) and record["greatest"] == max(values)
    assert record["least_chosen"] == sorted(values)[10]
    packs = prepare(runs[0].recipe, tmp_path / "cache").task._packs  # type: ignore[attr-defined]
    chosen = {
        s.key for place in most_disagreed(np.array(values), 0.5) for s in packs[place].sequences
    }
    assert set(seen) <= chosen and len(chosen) == 20


def test_each_generation_measures_its_own(tmp_path: Path) -> None:
    loop = {"generations": 2, "steps": 2}
    run = run_recipe(recipe(tmp_path, "span", loop=loop), tmp_path / "runs")
    first, second = (run.read_json(f"disagreement-{g}.json")["divergences"] for g in (1, 2))
    assert first != second


def test_values_of_other_data_are_not_gone_on_with(tmp_path: Path) -> None:
    made = recipe(tmp_path)

    def stop(generation: int, step: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_recipe(made, tmp_path / "runs", on_step=stop)
    [file] = (tmp_path / "runs").glob("*/disagreement-1.json")
    file.write_text('{"divergences": [0.5]}', encoding="utf-8")
    with pytest.raises(TrainingError, match="has 1 divergences"):
        run_recipe(made, tmp_path / "runs", resume=True)


def test_a_dry_run_counts_half_of_an_epoch(tmp_path: Path) -> None:
    loop = {"epochs": 1, "steps": None}
    half = estimate(recipe(tmp_path, loop=loop), tmp_path / "runs")
    whole = estimate(recipe(tmp_path, loop=loop, curriculum={"share": 1.0}), tmp_path / "runs")
    assert half["steps"] == 3 and whole["steps"] == 5  # of 10 and of 20 units, 4 in a batch


def test_without_a_model_to_disagree_with_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="one of model, checkpoint, ensemble"):
        recipe(tmp_path, teacher={"kind": "momentum", "path": ""})
    tiny.decoder(tmp_path / "letters", letters=True)
    foreign = {"kind": "model", "path": "./letters"}
    other = recipe(tmp_path, teacher=foreign, losses=[{"name": "universal-logit"}])
    with pytest.raises(UsageError, match="the student's tokenizer"):
        run_recipe(other, tmp_path / "runs")
    vectors = recipe(tmp_path / "embed", "embed", losses=[{"name": "cosine"}])
    with pytest.raises(UsageError, match="no divergence of its own"):
        run_recipe(vectors, tmp_path / "runs")
