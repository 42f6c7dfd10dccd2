"""Several mentors, of whom each row hears those that know better than the student."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from assistant.distillation.classroom import heard
from assistant.distillation.losses import LOSSES
from assistant.distillation.recipe_file import RecipeError
from assistant.distillation.run import run_recipe, write_store
from assistant.distillation.terms import LossInput, TeacherRows
from assistant.errors import UsageError
from tests.fast.assistant.distillation import tiny

CLASSROOM = {"kind": "classroom", "paths": ["./one", "./two"]}
BOTH = [{"name": "cross-entropy"}, {"name": "forward-kl"}]


def logits(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows).log()


def test_a_row_hears_those_that_know_better_by_how_well_they_know() -> None:
    # the right choice is the first one; the student gives it .3
    student = logits(*[[0.3, 0.5, 0.2]] * 3)
    one = logits([0.4, 0.4, 0.2], [0.2, 0.1, 0.7], [0.3, 0.3, 0.4])
    two = logits([0.6, 0.1, 0.3], [0.5, 0.0, 0.5], [0.1, 0.1, 0.8])
    found = heard([one, two], student, torch.zeros(3, dtype=torch.int64)).exp()
    # .4/1 of the one and .6/1 of the other; the other alone; nobody: as much is not more
    assert found[0].tolist() == pytest.approx([0.52, 0.22, 0.26])
    assert found[1].tolist() == pytest.approx([0.5, 0.0, 0.5])
    assert found[2].tolist() == [0, 0, 0]


def test_the_gradient_is_that_of_the_mentors_weighted_divergences() -> None:
    target = torch.tensor([0])
    one, two = logits([0.4, 0.4, 0.2]), logits([0.6, 0.1, 0.3])
    student = logits([0.3, 0.5, 0.2]).requires_grad_()
    forward = LOSSES.get("forward-kl")()

    def gradient(*parts: tuple[float, torch.Tensor]) -> torch.Tensor:
        total = sum(
            share * forward(given(student, TeacherRows.from_logits(rows), target)).sum()
            for share, rows in parts
        )
        assert isinstance(total, torch.Tensor)
        return torch.autograd.grad(total, student)[0]

    mixture = heard([one, two], student.detach(), target)
    torch.testing.assert_close(gradient((1.0, mixture)), gradient((0.4, one), (0.6, two)))


def given(student: torch.Tensor, teacher: TeacherRows, targets: torch.Tensor) -> LossInput:
    return LossInput(
        logits=student,
        targets=targets,
        teacher=teacher,
        weights=torch.ones(len(student)),
        sequences=torch.zeros(len(student), dtype=torch.int64),
        sampled=torch.zeros(len(student), dtype=torch.bool),
    )


SOFT = [
    "forward-kl",
    "reverse-kl",
    "jsd",
    "skew-forward-kl",
    "skew-reverse-kl",
    "policy-gradient",
    "easy-hard",
    "universal-logit",
    "token-difficulty",
]


@pytest.mark.parametrize(
    ("name", "k"), [*((name, k) for name in SOFT for k in (None, 1)), ("margin-mse", None)]
)
def test_a_row_without_a_mentor_learns_nothing_and_changes_no_other(
    name: str, k: int | None
) -> None:
    full = logits([0.3, 0.5, 0.2, 0.0], [0.1, 0.2, 0.3, 0.4], [0.3, 0.3, 0.4, 0.0])
    taught = logits([0.6, 0.1, 0.3, 0.0], [0.0, 0.0, 0.0, 0.0], [0.2, 0.8, 0.0, 0.0])
    targets = torch.tensor([0, 2, 1])
    loss = LOSSES.get(name)()

    def of(places: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        student = full[places].clone().requires_grad_()
        teacher = TeacherRows.from_logits(taught[places], k)
        values = loss(given(student, teacher, targets[places]))
        return values.detach(), torch.autograd.grad(values.sum(), student)[0]

    values, gradient = of([0, 1, 2])
    assert torch.isfinite(gradient).all()
    assert values[1] == 0 and not gradient[1].any()
    alone, alone_gradient = of([0, 2])
    assert values[[0, 2]].tolist() == alone.tolist()
    torch.testing.assert_close(gradient[[0, 2]], alone_gradient)
    assert alone.abs().sum() > 0


def test_what_the_student_wrote_after_an_untaught_row_is_no_reward_of_it() -> None:
    student = logits([0.5, 0.5], [0.5, 0.5])
    teacher = TeacherRows.from_logits(logits([0.9, 0.1], [0.0, 0.0]))
    data = given(student, teacher, torch.tensor([0, 0]))
    sampled = LossInput(**{f: getattr(data, f) for f in _FIELDS} | {"sampled": ~data.sampled})
    values = LOSSES.get("policy-gradient")()(sampled)
    # the return of the first is the reward of the second, which nobody judges: .5 ln(.5/.9) + …
    assert values[0].item() == pytest.approx(0.5 * math.log(5 / 9) + 0.5 * math.log(5))
    assert values[1] == 0


_FIELDS = ("logits", "targets", "teacher", "weights", "sequences", "sampled")


def made(folder: Path, kind: str, **changes: Any) -> Any:
    """A recipe of that task with two mentors."""
    values = {"teacher": CLASSROOM, "losses": BOTH} | changes
    build = {"span": tiny.span_recipe, "causal": tiny.causal_recipe, "pair": tiny.pair_recipe}
    part = tiny.decoder if kind == "causal" else tiny.encoder
    for seed, name in enumerate(("one", "two"), start=7):
        if not (folder / name).exists():
            part(folder / name, seed=seed)
    if kind == "pair":  # mentors have one exit here
        values = {"task": {"exits": []}} | values
    return build[kind](folder, **values)


@pytest.mark.parametrize("task", ["span", "causal", "pair"])
def test_a_run_of_each_task_and_the_same_one_resumed(tmp_path: Path, task: str) -> None:
    recipe = tiny.read(made(tmp_path, task), tmp_path)
    runs = tiny.cut_and_gone_on_with(recipe, tmp_path, at=5)
    curves = [[(row["loss"], row["forward-kl"]) for row in run.table("curves.csv")] for run in runs]
    assert curves[0] == curves[1]
    assert any(float(value) > 0 for _, value in curves[0])


def test_what_it_cannot_do_is_refused(tmp_path: Path) -> None:
    one = made(tmp_path, "causal", teacher={"kind": "classroom", "paths": ["./one", "./one"]})
    with pytest.raises(RecipeError, match="two different 'paths'"):
        tiny.read(one, tmp_path)
    own = made(tmp_path, "causal", sampling={"kind": "on-policy", "max_tokens": 4})
    with pytest.raises(RecipeError, match="what the student writes itself"):
        tiny.read(own, tmp_path)
    exits = made(tmp_path / "pair", "pair", task={"exits": [1, 2]})
    with pytest.raises(UsageError, match="other rows"):
        run_recipe(tiny.read(exits, tmp_path / "pair"), tmp_path / "runs")
    with pytest.raises(UsageError, match="only the log-probabilities of a model"):
        write_store(tiny.read(made(tmp_path, "causal"), tmp_path), tmp_path, tmp_path / "s", k=2)
    tiny.decoder(tmp_path / "letters", letters=True)
    foreign = {"kind": "classroom", "paths": ["./one", "./letters"]}
    losses = [{"name": "universal-logit"}]
    other = tiny.read(made(tmp_path, "causal", teacher=foreign, losses=losses), tmp_path)
    with pytest.raises(UsageError, match="no mean distribution"):
        run_recipe(other, tmp_path / "runs")
