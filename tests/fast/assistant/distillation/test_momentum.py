"""A teacher that is the average of what the student was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from assistant.distillation.recipe_models import TeacherSpec
from assistant.distillation.run import run_recipe, write_store
from assistant.distillation.teachers import MomentumTeacher
from assistant.errors import UsageError
from tests.fast.assistant.distillation import tiny

MOMENTUM = {"kind": "momentum", "decay": 0.9}
LOSSES = [{"name": "cross-entropy"}, {"name": "forward-kl", "weight": 0.5}]


def test_it_follows_the_student() -> None:
    student = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        student.weight.fill_(1.0)
    teacher = MomentumTeacher(None, student, TeacherSpec(kind="momentum", decay=0.15))  # type: ignore[arg-type]
    [model] = teacher.models
    assert teacher.beside is not None
    with torch.no_grad():
        student.weight.fill_(2.0)
    assert model.weight.item() == 1.0
    # the first step keeps a tenth of what was, the second 2/11, but never more than the decay
    teacher.beside.update(1, 0.1)
    assert model.weight.item() == pytest.approx(0.1 * 1 + 0.9 * 2)
    teacher.beside.update(2, 0.2)
    assert model.weight.item() == pytest.approx(0.15 * 1.9 + 0.85 * 2)
    assert not model.weight.requires_grad and not model.training


@pytest.mark.parametrize("average", ["none", "ema"])
def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(tmp_path: Path, average: str) -> None:
    made = tiny.span_recipe(
        tmp_path,
        student={"dropout": 0.0},
        teacher=MOMENTUM,
        losses=LOSSES,
        loop={"average": {"kind": average, "decay": 0.5}, "learning_rate": 0.01},
    )
    runs = tiny.cut_and_gone_on_with(tiny.read(made, tmp_path), tmp_path, at=5)
    curves = [[(row["loss"], row["forward-kl"]) for row in run.table("curves.csv")] for run in runs]
    assert curves[0] == curves[1]
    # it begins as the student, and stays behind
    assert float(curves[0][0][1]) < 1e-6 < float(curves[0][-1][1])


def test_vectors_are_compared_with_those_of_before(tmp_path: Path) -> None:
    losses = [{"name": "cross-entropy"}, {"name": "cosine"}]
    made = tiny.embed_recipe(tmp_path, teacher=MOMENTUM, losses=losses)
    rows = run_recipe(tiny.read(made, tmp_path), tmp_path / "runs").table("curves.csv")
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_there_is_nothing_of_it_to_store(tmp_path: Path) -> None:
    recipe = tiny.read(tiny.span_recipe(tmp_path, teacher=MOMENTUM, losses=LOSSES), tmp_path)
    with pytest.raises(UsageError, match="own past"):
        write_store(recipe, tmp_path, tmp_path / "store", k=2)
