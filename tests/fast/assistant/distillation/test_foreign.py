"""A teacher with another tokenizer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from assistant.distillation.foreign import beside
from assistant.distillation.losses import LOSSES
from assistant.distillation.run import prepare, run_recipe, write_store
from assistant.distillation.teachers import load_teacher
from assistant.distillation.terms import LossInput, TeacherRows
from assistant.errors import UsageError
from tests.fast.assistant.distillation import tiny

LOSSES_OF_BOTH = [{"name": "cross-entropy"}, {"name": "universal-logit", "weight": 1.5}]


def recipe(folder: Path, **changes: Any) -> Any:
    """A student that reads words and a teacher that reads letters."""
    made = tiny.causal_recipe(
        folder,
        **{"losses": LOSSES_OF_BOTH, "teacher": {"kind": "model", "path": "./letters"}} | changes,
    )
    if not (folder / "letters").exists():
        tiny.decoder(folder / "letters", seed=4, letters=True)
    return tiny.read(made, folder)


def test_the_first_tokens_of_each_completion_stand_beside_one_another() -> None:
    # the teacher's completions have one and three tokens, the student's two and two
    theirs = torch.tensor([[1.0], [2], [3], [4]])
    found = beside(theirs, torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 1]))
    assert found[:, 0].tolist() == [1, -math.inf, 2, 3]


def test_rows_without_a_counterpart_count_nothing() -> None:
    logits = torch.zeros(2, 2, requires_grad=True)
    teacher = torch.tensor([[0.0, 0, 0, 0], [-math.inf] * 4])
    data = LossInput(
        logits=logits,
        targets=torch.zeros(2, dtype=torch.int64),
        teacher=TeacherRows.from_logits(teacher),
        weights=torch.ones(2),
        sequences=torch.arange(2),
        sampled=torch.zeros(2, dtype=torch.bool),
    )
    # four quarters against two halves: 2 · 1/4 + 2 · 1/4
    loss = LOSSES.get("universal-logit")()(data)
    assert loss.tolist() == pytest.approx([1, 0])
    [gradient] = torch.autograd.grad(loss.sum(), logits)
    assert torch.isfinite(gradient).all() and not gradient[1].any()


def test_it_reads_the_same_texts_in_its_own_tokens(tmp_path: Path) -> None:
    made = recipe(tmp_path)
    task = prepare(made, tmp_path / "cache").task
    teacher = load_teacher(made, task, torch.device("cpu"))
    [model] = teacher.models  # type: ignore[union-attr]
    batch = task.collate([0, 1])
    rows = task.rows(model, batch)
    assert rows.logits.shape == (len(batch["targets"]), model.model.config.vocab_size)
    first = batch["packs"][0].sequences[0]
    example = task._examples[first.key]  # type: ignore[attr-defined]
    prompt = model.tokenizer(example.prefix + example.prompt)["input_ids"]
    written = model.tokenizer(example.completion, add_special_tokens=False)["input_ids"]
    assert len(written) > len(first.completion)  # letters, not words
    alone = model.model(input_ids=torch.tensor([[*prompt, *written]])).logits[0, len(prompt) - 1 :]
    count = len(first.completion)
    torch.testing.assert_close(rows.logits[:count], alone[:count], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["teacher-forced", "on-policy"])
def test_a_student_learns_from_it(tmp_path: Path, kind: str) -> None:
    changes = {"sampling": {"kind": kind, "max_tokens": 4}, "losses": LOSSES_OF_BOTH[1:]}
    made = recipe(tmp_path, **changes)
    whole, resumed = tiny.cut_and_gone_on_with(made, tmp_path, at=5)
    rows = whole.table("curves.csv")
    assert [r["loss"] for r in rows] == [r["loss"] for r in resumed.table("curves.csv")]
    assert float(rows[-1]["universal-logit"]) < float(rows[0]["universal-logit"])


def test_what_needs_the_same_choices_is_refused(tmp_path: Path) -> None:
    both = [*LOSSES_OF_BOTH, {"name": "forward-kl"}]
    with pytest.raises(UsageError, match="another tokenizer"):
        run_recipe(recipe(tmp_path, losses=both), tmp_path / "runs")
    with pytest.raises(UsageError, match="cannot be stored"):
        write_store(recipe(tmp_path), tmp_path, tmp_path / "store", k=2)
    two = {"kind": "ensemble", "paths": ["./letters", "./decoder"], "path": ""}
    with pytest.raises(UsageError, match="no mean distribution"):
        run_recipe(recipe(tmp_path, teacher=two), tmp_path / "runs")
    mixed = {"kind": "on-policy", "teacher_mix": 0.2, "max_tokens": 4}
    with pytest.raises(UsageError, match="same tokenizer"):
        run_recipe(recipe(tmp_path, sampling=mixed), tmp_path / "runs")
