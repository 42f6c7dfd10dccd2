"""Domains in which the student is further behind its teacher count more."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assistant.distillation.batch_plan import plan_batches
from assistant.distillation.domains import DomainBalance, first_factors, next_factors
from assistant.distillation.recipe_file import RecipeError
from assistant.distillation.run import prepare, run_recipe
from assistant.distillation.teachers import load_teacher
from assistant.errors import TrainingError, UsageError
from tests.fast.assistant.distillation import tiny

EVERY_TWO = {"domains": {"every": 2, "sample": 3}}
LOSSES = [{"name": "cross-entropy"}, {"name": "forward-kl"}]


def test_factors_by_hand() -> None:
    even = np.zeros(2)
    # perplexities of 2 and 1 times the teacher's: e² / (e² + e)
    first = first_factors(np.array([math.log(2), 0.0]), even)
    assert first.tolist() == pytest.approx([0.731059, 0.268941], abs=1e-6)
    # as good as the teacher in both: ψ is r, and half of it goes over into an even share
    assert next_factors(first, even, even, 0.5).tolist() == pytest.approx(
        [0.615529, 0.384471], abs=1e-6
    )
    # three times in the first: .731059·e³ against .268941·e, .952574; half of it and .25
    behind = next_factors(first, np.array([math.log(3), 0.0]), even, 0.5)
    assert behind.tolist() == pytest.approx([0.726287, 0.273713], abs=1e-6)
    # with α = .2: .2 · .952574 + .8 / 2
    slow = next_factors(first, np.array([math.log(3), 0.0]), even, 0.2)
    assert slow[0] == pytest.approx(0.590515, abs=1e-6)


def test_a_gap_without_bounds_leaves_every_domain_its_least() -> None:
    far, even = np.array([900.0, 1.0, 0.0]), np.zeros(3)
    first = first_factors(far, even)
    assert first.tolist() == [1, 0, 0]
    assert next_factors(first, even, even, 0.5).tolist() == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def recipe(folder: Path, **changes: Any) -> Any:
    """Completions of two domains, a quarter of them of the second."""
    values = {
        "teacher": {"kind": "model", "path": "./teacher"},
        "data": [{"source": "examples", "path": "domains.jsonl"}],
        "losses": LOSSES,
        "curriculum": EVERY_TWO,
    }
    made = tiny.causal_recipe(folder, **values | changes)
    if not (folder / "teacher").exists():
        tiny.decoder(folder / "teacher", seed=5)
        lines = (folder / "train-c.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for number, row in enumerate(rows):
            row["domain"] = "rare" if number // 2 % 4 == 3 else "usual"
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "domains.jsonl").write_text(text, encoding="utf-8")
    return tiny.read(made, folder)


def balance(folder: Path, told: list[Any]) -> tuple[Any, Any, DomainBalance]:
    """The parts of a run of one epoch."""
    made = recipe(folder, loop={"epochs": 1, "steps": None, "batch_size": 5})
    task = prepare(made, folder / "cache").task
    torch.manual_seed(0)
    student = task.new_student().train()
    teacher = load_teacher(made, task, torch.device("cpu"))
    plan = plan_batches(task.units.lengths, task.units.difficulty, made.loop)
    return task, plan, DomainBalance(task, student, teacher, plan, told.append)


def test_a_larger_gap_counts_more_and_all_rows_one_in_the_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    task, plan, made = balance(tmp_path, told)
    assert made.names == ["rare", "usual"] and made.shares.tolist() == [0.25, 0.75]
    losses = iter([[0.0, 0.0], [math.log(2), 0.0], [math.log(3), 0.0]])
    monkeypatch.setattr(made, "_losses", lambda models, rows_of: np.array(next(losses)))
    made.begin()
    assert made.weights.tolist() == [1, 1]  # the first steps are drawn by chance
    made.update(1, 0.1)
    assert len(told) == 1
    made.update(2, 0.2)
    # the factors of the test above, over the share of the data
    assert made.weights.tolist() == pytest.approx([0.726287 / 0.25, 0.273713 / 0.75], abs=1e-5)
    assert told[1][0] == {
        "step": 2,
        "domain": "rare",
        "student_loss": math.log(3),
        "teacher_loss": 0.0,
        "factor": pytest.approx(0.726287, abs=1e-6),
        "weight": pytest.approx(2.905148, abs=1e-5),
    }
    every = []
    examples = task._examples
    for number, units in enumerate(plan):
        batch = {**task.collate(units), "number": number}
        rows = task.rows(made._student, batch)
        weights = made.of_rows(batch, rows)
        keys = [batch["keys"][place] for place in rows.sequences.tolist()]
        rare = torch.tensor([examples[key].domain == "rare" for key in keys])
        wanted = torch.where(rare, made.weights[0], made.weights[1]).float()
        assert torch.equal(weights, wanted)
        every.append(weights)
    assert torch.cat(every).mean().item() == pytest.approx(1)  # all have as many rows here


def test_losses_are_means_over_the_sample_of_a_domain(tmp_path: Path) -> None:
    task, _, made = balance(tmp_path, [])
    made.begin()
    assert made._student.training
    [sampled] = [np.concatenate(made._batches)]
    assert len(sampled) == 6  # three of each
    for place, name in enumerate(made.names):
        values = []
        for unit in sampled:
            if task.units.domains[unit] != name:
                continue
            batch = task.collate([unit])
            with torch.no_grad():
                rows = task.rows(made._models[0], batch)
            values += (
                (-rows.logits.log_softmax(-1)).gather(-1, rows.targets[:, None])[:, 0].tolist()
            )
        assert made._teacher[place] == pytest.approx(np.mean(values), rel=1e-5)


@pytest.mark.parametrize("at", [2, 5])
def test_a_resumed_run_has_the_losses_and_factors_of_an_uninterrupted_one(
    tmp_path: Path, at: int
) -> None:
    runs = tiny.cut_and_gone_on_with(recipe(tmp_path), tmp_path, at=at)
    curves = [[row["loss"] for row in run.table("curves.csv")] for run in runs]
    assert curves[0] == curves[1] and len(curves[0]) == 6
    tables = [run.table("domains.csv") for run in runs]
    assert tables[0] == tables[1]
    assert [row["step"] for row in tables[0][::2]] == ["0", "2", "4", "6"]
    table = {(int(r["step"]), r["domain"]): r for r in tables[0]}

    def column(step: int, name: str) -> np.ndarray:
        return np.array([float(table[step, domain][name]) for domain in ("rare", "usual")])

    before = first_factors(column(0, "student_loss"), column(0, "teacher_loss"))
    assert column(0, "factor").tolist() == pytest.approx(before.tolist(), rel=1e-3)
    for step in (2, 4, 6):
        before = next_factors(before, column(step, "student_loss"), column(0, "teacher_loss"), 0.5)
        assert column(step, "factor").tolist() == pytest.approx(before.tolist(), rel=1e-3)


def test_weights_change_what_is_learnt(tmp_path: Path) -> None:
    with_them = run_recipe(recipe(tmp_path), tmp_path / "runs").table("curves.csv")
    without = run_recipe(recipe(tmp_path, curriculum={}), tmp_path / "runs").table("curves.csv")
    same = [a["loss"] == b["loss"] for a, b in zip(with_them, without, strict=True)]
    assert same == [True, True, False, False, False, False]  # the first two steps count alike


@pytest.mark.parametrize(
    ("build", "each"),
    [
        (tiny.span_recipe, 2),  # a start and an end
        (tiny.pair_recipe, 2),  # two exits
        (tiny.embed_recipe, 2),  # two texts
        (tiny.tag_recipe, None),  # as many as words
    ],
)
def test_rows_belong_to_the_units_of_their_batch(
    tmp_path: Path, build: Any, each: int | None
) -> None:
    made = tiny.read(build(tmp_path), tmp_path)
    task = prepare(made, tmp_path / "cache").task
    assert len(task.units.domains) == len(task.units.lengths)
    student = task.new_student()
    batch, alone = task.collate([4, 7, 9]), task.collate([7])
    rows = task.rows(student, batch)
    owners = task.owners(batch, rows)
    assert owners.shape == rows.targets.shape and set(owners.tolist()) == {0, 1, 2}
    count = len(task.rows(student, alone).targets)
    assert int((owners == 1).sum()) == count and (each is None or count == each)
    if build is tiny.tag_recipe:
        assert set(task.units.domains) == {f"d{number}" for number in range(5)}


def test_a_pack_of_several_domains_is_of_one_of_its_own(tmp_path: Path) -> None:
    made = recipe(tmp_path)
    rows = [
        {
            "id": str(n),
            "prefix": "mara lives at the mill . ",
            "prompt": "where ? ",
            "completion": c,
            "domain": d,
        }
        for n, (c, d) in enumerate([("mill", "b"), ("the mill", "a"), ("at the mill", "b")])
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "domains.jsonl").write_text(text, encoding="utf-8")
    assert prepare(made, tmp_path / "cache").task.units.domains == ("a + b",)
    with pytest.raises(UsageError, match=r"of the domain 'a \+ b'"):
        run_recipe(made, tmp_path / "runs")


def test_what_it_cannot_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="one of model, checkpoint, ensemble"):
        recipe(tmp_path, teacher={"kind": "none", "path": ""}, losses=LOSSES[:1])
    with pytest.raises(RecipeError, match="evry"):
        recipe(tmp_path, curriculum={"domains": {"evry": 3}})
    made = balance(tmp_path, [])[2]
    with pytest.raises(TrainingError, match="no factors of these domains"):
        made.load(tmp_path)
