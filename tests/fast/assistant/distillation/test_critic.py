"""The loss with a critic of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.distillation.losses.critic import Critic, WassersteinGlobal
from assistant.errors import TrainingError
from tests.fast.assistant.distillation import tiny
from tests.fast.assistant.distillation.tiny import vectors


def test_values_by_hand() -> None:
    loss = WassersteinGlobal(hidden=1)
    critic = loss.beside(0, "critic.pt")
    assert isinstance(critic, Critic)
    # [A B] = [2 0 | 2 0], whose only singular value is √8; v = 3 becomes 1
    values = {"both": [[2.0, 0.0, 2.0, 0.0]], "bias": [0.0], "out": [3.0]}
    critic._train({k: torch.tensor(v) for k, v in values.items()}, torch.device("cpu"))
    east, north = [1.0, 0.0], [0.0, 1.0]
    found = loss(vectors(torch.tensor([east, north]), torch.tensor([east, north])))
    # g(t, s) = (t₁ + s₁)/√2: g₁₁ = √2, g₁₂ = g₂₁ = 1/√2, g₂₂ = 0
    half = 0.5**0.5
    assert found.tolist() == pytest.approx([half - 2 * half, half - 0.0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 50))
def test_slope_of_the_critic_is_one_at_most(seed: int, size: float) -> None:
    critic = Critic(8, 0.1, seed)
    draw = torch.Generator().manual_seed(seed)
    t, s, dt, ds = (torch.randn(1, n, generator=draw) for n in (3, 2, 3, 2))
    critic(t, s)
    assert critic._trained is not None
    with torch.no_grad():
        for weight in critic._trained.weights.values():
            weight.mul_(size)  # however large its weights become
        change = (critic(t + dt, s + ds) - critic(t, s)).abs().item()
    # the bias is no part of the slope
    assert change <= torch.cat([dt, ds], dim=1).norm().item() * (1 + 1e-4) + 1e-5


def test_student_and_critic_learn_which_belong_together() -> None:
    torch.manual_seed(0)
    teacher = torch.nn.functional.normalize(torch.randn(12, 4), dim=-1)
    student = torch.nn.Parameter(torch.randn(12, 3))
    loss = WassersteinGlobal(hidden=16, learning_rate=0.02)
    critic = loss.beside(1, "critic.pt")
    step = torch.optim.Adam([student], lr=0.05)
    values = []
    for number in range(60):
        value = loss(vectors(student, teacher)).mean()
        step.zero_grad()
        value.backward()
        step.step()
        critic.update(number, 0.0)
        values.append(value.item())
    assert values[-1] < -0.1 < values[0]


def test_one_text_alone_says_nothing() -> None:
    student = torch.ones(1, 3, requires_grad=True)
    value = WassersteinGlobal()(vectors(student, torch.ones(1, 2)))
    assert value.tolist() == [0.0] and value.requires_grad


def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(tmp_path: Path) -> None:
    critic = {"name": "wasserstein-global", "learning_rate": 0.05}
    losses = [{"name": "cosine"}, {**critic, "hidden": 4}, {**critic, "hidden": 8}]
    made = tiny.embed_recipe(tmp_path, losses=losses, student={"dropout": 0.0})
    runs = tiny.cut_and_gone_on_with(tiny.read(made, tmp_path), tmp_path, at=5)
    curves = [
        [(row["wasserstein-global'"], row["wasserstein-global"]) for row in run.table("curves.csv")]
        for run in runs
    ]
    assert curves[0] == curves[1] and len({loss for _, loss in curves[0]}) > 3
    assert not [f for f in (runs[0].path / "export").iterdir() if f.suffix == ".pt"]


def test_a_critic_that_has_seen_nothing_is_kept_as_such(tmp_path: Path) -> None:
    Critic(4, 0.1, 0).save(tmp_path)
    again = Critic(4, 0.1, 0)
    again.load(tmp_path)
    one, two = torch.eye(3), torch.eye(3)[:, :2]
    torch.testing.assert_close(again(one, two), Critic(4, 0.1, 0)(one, two))


def test_a_checkpoint_without_a_critic_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no critic\.pt"):
        Critic(4, 0.1, 0).load(tmp_path)
