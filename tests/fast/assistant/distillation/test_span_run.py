"""Span runs from recipe to export, with a tiny encoder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from assistant.distillation.exported import load_exported
from assistant.distillation.loop import DistillTrainer
from assistant.distillation.recipe_file import load_recipe
from assistant.distillation.run import run_recipe
from assistant.distillation.run_folder import RunFolder
from assistant.distillation.spans.asking import Asked
from assistant.distillation.spans.model import SpanModel
from assistant.errors import ModelCorruptError, StorageError, TrainingError, UsageError
from tests.fast.assistant.distillation import tiny


def losses(folder) -> list[str]:
    return [row["loss"] for row in folder.table("curves.csv")]


def test_a_run_learns_and_its_export_answers(tmp_path: Path) -> None:
    recipe = tiny.read(
        tiny.span_recipe(
            tmp_path,
            student={"frozen": ["*word_embeddings*"]},
            loop={"steps": 80, "learning_rate": 0.01, "log_every": 20, "evaluate_every": 40},
        ),
        tmp_path,
    )
    folder = run_recipe(recipe, tmp_path / "runs")
    values = [float(value) for value in losses(folder)]
    assert values[-1] < values[0] / 2
    for name in ("recipe.yaml", "data.json", "environment.json", "curves.png", "evaluation.json"):
        assert (folder.path / name).is_file(), name
    assert folder.read_json("data.json")["counts"]["examples"] > 20
    assert [row["step"] for row in folder.table("evaluations.csv")] == ["40"]
    assert len(folder.read_lines("evaluation-examples.jsonl")) == 12
    measures = folder.read_json("evaluation.json")
    assert measures["forced_f1"] > 0.4  # by chance: about one of eight words

    model = SpanModel.load(folder.path / "export")
    passage = "mara lives at the mill . tom lives at the tower ."
    [best] = model.find([Asked("where does mara live ?", "", passage)], n_best=3)
    assert len(best) == 3
    assert model.threshold == measures["threshold"]
    assert best[0].score >= best[1].score >= best[2].score
    plain, words, _ = load_exported(folder.path / "export")  # without what a CPU does faster
    slow = SpanModel(plain, words, model.options)
    [expected] = slow.find([Asked("where does mara live ?", "", passage)], n_best=3)
    assert [one.score for one in best] == pytest.approx([one.score for one in expected], abs=1e-4)
    tensors = json.loads((folder.path / "export/export.json").read_text())["tensors"]
    assert not any("word_embeddings" in name for name in tensors)
    assert any("qa_outputs" in name for name in tensors)


def test_an_export_refuses_another_base(tmp_path: Path) -> None:
    folder = run_recipe(tiny.read(tiny.span_recipe(tmp_path), tmp_path), tmp_path / "runs")
    other = tiny.encoder(tmp_path / "other", seed=5)
    with pytest.raises(ModelCorruptError, match="not the model"):
        load_exported(folder.path / "export", base=other)


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("average", ["none", "ema", "swa"])
def test_resumed_equals_uninterrupted(
    tmp_path: Path, average: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny.read(
        tiny.span_recipe(
            tmp_path,
            loop={"steps": 8, "accumulate": 2, "average": {"kind": average, "start": 0.2}},
        ),
        tmp_path,
    )
    whole = run_recipe(recipe, tmp_path / "whole")

    def kill(generation: int, step) -> None:
        if step.step == 5:
            raise _Killed

    with pytest.raises(_Killed):
        run_recipe(recipe, tmp_path / "cut", on_step=kill)
    steps = []
    cut = run_recipe(
        recipe, tmp_path / "cut", resume=True, on_step=lambda g, step: steps.append(step.step)
    )
    assert steps == [4, 5, 6, 7, 8]  # from the checkpoint at 3
    assert losses(cut) == losses(whole)
    ours, _, _ = load_exported(cut.path / "export")
    theirs, _, _ = load_exported(whole.path / "export")
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name


def test_a_nan_loss_stops_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny.read(tiny.span_recipe(tmp_path), tmp_path)
    real = DistillTrainer.training_step

    def poisoned(self, model, inputs, *rest):
        if self.state.global_step == 4:
            inputs["weights"] = inputs["weights"] * torch.nan
        return real(self, model, inputs, *rest)

    monkeypatch.setattr(DistillTrainer, "training_step", poisoned)
    with pytest.raises(TrainingError, match="nan at step 5") as caught:
        run_recipe(recipe, tmp_path / "runs")
    assert "checkpoint-3" in caught.value.remedy
    monkeypatch.undo()
    assert run_recipe(recipe, tmp_path / "runs", resume=True).state["state"] == "finished"


def test_teachers_generations_and_a_curriculum(tmp_path: Path) -> None:
    teacher = run_recipe(tiny.read(tiny.span_recipe(tmp_path), tmp_path), tmp_path / "runs")
    export = str(teacher.path / "export")
    recipe = tiny.span_recipe(
        tmp_path,
        name="taught",
        teacher={"kind": "ensemble", "paths": [export, export], "top_k": 4},
        losses=[
            {"name": "cross-entropy", "weight": {"schedule": "linear", "from": 1, "to": 0}},
            {"name": "jsd", "temperature": 2},
        ],
        curriculum={"order": "easy-to-hard"},
        loop={"generations": 2, "epochs": 1, "steps": None},
    )
    folder = run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
    rows = folder.table("curves.csv")
    assert {row["generation"] for row in rows} == {"1", "2"}
    assert (folder.path / "export-1").is_dir() and (folder.path / "export").is_dir()
    assert all(float(row["jsd"]) > 0 for row in rows)


def test_losses_that_need_a_teacher_refuse_to_do_without(tmp_path: Path) -> None:
    recipe = tiny.span_recipe(tmp_path, losses=[{"name": "forward-kl"}])
    with pytest.raises(TrainingError, match="needs a teacher"):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")


def test_a_span_teacher_of_another_tokenizer_is_refused(tmp_path: Path) -> None:
    recipe = tiny.span_recipe(
        tmp_path,
        teacher={"kind": "model", "path": "./decoder"},
        losses=[{"name": "forward-kl"}],
    )
    tiny.decoder(tmp_path / "decoder")
    with pytest.raises(UsageError, match="another tokenizer"):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")


def test_changed_data_are_not_gone_on_with(tmp_path: Path) -> None:
    recipe = tiny.read(tiny.span_recipe(tmp_path), tmp_path)

    def kill(generation: int, step) -> None:
        if step.step == 4:
            raise _Killed

    with pytest.raises(_Killed):
        run_recipe(recipe, tmp_path / "runs", on_step=kill)
    tiny.squad(tmp_path / "train.jsonl", seed=9)
    with pytest.raises(TrainingError, match="not those"):
        run_recipe(recipe, tmp_path / "runs", resume=True)


def test_a_killed_process_is_gone_on_with(tmp_path: Path) -> None:
    recipe = tiny.span_recipe(tmp_path, loop={"steps": 60, "accumulate": 4, "checkpoint_every": 20})
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    command = [sys.executable, "-m", "assistant.distillation", str(tmp_path / "recipe.yaml")]
    command += ["--out", str(tmp_path / "cut")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "step 22/60" in line:
                process.kill()
                break
    [cut] = (tmp_path / "cut").glob("tiny-*")
    assert RunFolder(cut).state["state"] == "started"
    read = load_recipe(tmp_path / "recipe.yaml")
    seen: list[int] = []
    resumed = run_recipe(
        read, tmp_path / "cut", resume=True, on_step=lambda g, step: seen.append(step.step)
    )
    whole = run_recipe(read, tmp_path / "whole")
    assert seen == list(range(21, 61))
    assert losses(resumed) == losses(whole)


def test_a_disk_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint goes to /dev/full, a disk without any space."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    recipe = tiny.read(tiny.span_recipe(tmp_path), tmp_path)

    def fill(generation: int, step) -> None:
        if step.step == 2:
            [run] = (tmp_path / "runs").glob("tiny-*")
            folder = run / "checkpoints/generation-1/checkpoint-3"
            folder.mkdir(parents=True)
            (folder / "optimizer.pt").symlink_to("/dev/full")

    with pytest.raises(StorageError, match="no space left"):
        run_recipe(recipe, tmp_path / "runs", on_step=fill)
