"""Losses of margins and of vectors, against values computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.distillation.losses import LOSSES
from assistant.distillation.terms import LossInput, TeacherRows, TokenStates
from assistant.errors import UsageError
from tests.fast.assistant.distillation.tiny import vectors

INF = math.inf
VECTOR_LOSSES = ["cosine", "rkd-angle", "rkd-distance", "wasserstein"]


def rows(student: list[list[float]], teacher: list[list[float]], targets: list[int]) -> LossInput:
    logits = torch.tensor(student, dtype=torch.float32, requires_grad=True)
    return LossInput(
        logits=logits,
        targets=torch.tensor(targets),
        teacher=TeacherRows.from_logits(torch.tensor(teacher, dtype=torch.float32)),
        weights=torch.ones(len(student)),
        sequences=torch.arange(len(student)),
        sampled=torch.zeros(len(student), dtype=torch.bool),
    )


def test_margins_are_compared_with_the_teachers() -> None:
    # margins of the student 2 and 1, of the teacher 1 and 3: (1² + 2²) / 2
    found = LOSSES.get("margin-mse")()(rows([[3, 1, 2]], [[5, 4, 2]], [0]))
    assert found.tolist() == pytest.approx([2.5], abs=1e-5)


def test_margins_do_not_care_where_scores_begin_and_skip_what_is_no_candidate() -> None:
    loss = LOSSES.get("margin-mse")(scale=2.0)
    data = rows([[1, 13, -INF], [-4, 8, -INF]], [[0, 6, -INF], [100, 106, -INF]], [1, 1])
    found = loss(data)
    assert found.tolist() == pytest.approx([0, 0], abs=1e-4)
    [gradient] = torch.autograd.grad(found.sum(), data.logits)
    assert torch.isfinite(gradient).all()


def test_margins_need_every_candidates_score() -> None:
    data = rows([[3, 1, 2]], [[5, 4, 2]], [0])
    part = TeacherRows.from_logits(torch.tensor([[5.0, 4.0, 2.0]]), 2)
    with pytest.raises(UsageError, match="every candidate"):
        LOSSES.get("margin-mse")()(
            LossInput(
                logits=data.logits,
                targets=data.targets,
                teacher=part,
                weights=data.weights,
                sequences=data.sequences,
                sampled=data.sampled,
            )
        )


def test_cosine_is_one_minus_the_cosine() -> None:
    found = LOSSES.get("cosine")()(
        vectors(torch.tensor([[2.0, 0], [1, 1], [0, -3]]), torch.tensor([[1.0, 0], [1, 0], [0, 1]]))
    )
    assert found.tolist() == pytest.approx([0, 1 - math.sqrt(0.5), 2], abs=1e-6)


def test_cosine_of_vectors_of_two_sizes_is_refused() -> None:
    with pytest.raises(UsageError, match="3 and 2 numbers"):
        LOSSES.get("cosine")()(vectors(torch.ones(4, 3), torch.ones(4, 2)))


def test_transport_costs_what_the_cheapest_plan_costs() -> None:
    east, north = [1.0, 0.0], [0.0, 1.0]
    both = torch.tensor([east, north])
    # the same set in another order: the plan swaps, at no cost
    loss = LOSSES.get("wasserstein")
    assert loss()(vectors(both.flip(0), both)).tolist() == pytest.approx([0, 0], abs=1e-6)
    # half of what lies east has to go north, at the price 1: two rows of a quarter each, times 2
    found = loss()(vectors(torch.tensor([east, east]), both))
    assert found.tolist() == pytest.approx([0.5, 0.5], abs=1e-6)
    # cost (0, 1; 1, 0) at entropy 1: x and ½ − x with x / (½ − x) = e, so 2 · (½ − x) = 1 / (1 + e)
    found = loss(epsilon=1.0)(vectors(both, both))
    assert found.tolist() == pytest.approx([1 / (1 + math.e)] * 2, abs=1e-6)
    with pytest.raises(UsageError, match="2 and 1 numbers"):
        loss()(vectors(both, torch.ones(2, 1)))


def test_distances_are_compared_over_their_means() -> None:
    # Points of a line at 0, 1, 3: distances 1, 3, 2 over their mean 2; the teacher's at 0, 2, 4:
    # 2, 4, 2 over 8/3. Differences −.25, 0 and .25 have the Huber loss .03125, 0 and .03125.
    student = torch.tensor([[0.0, 0], [1, 0], [3, 0]])
    teacher = torch.tensor([[0.0], [2], [4]])
    found = LOSSES.get("rkd-distance")()(vectors(student, teacher))
    assert found.tolist() == pytest.approx([0.015625, 0.03125, 0.015625], abs=1e-5)


def test_angles_are_those_of_the_triangles() -> None:
    # A right angle at the first of three points against a straight line through the first:
    # cosines 0 and −1 there, √½ and 1 at the others. Of nine places (i, k) at a point, two differ.
    student = torch.tensor([[0.0, 0], [1, 0], [0, 1]])
    teacher = torch.tensor([[0.0, 0], [1, 0], [-1, 0]])
    found = LOSSES.get("rkd-angle")(group=3)(vectors(student, teacher))
    other = 0.5 * (1 - math.sqrt(0.5)) ** 2
    assert found.tolist() == pytest.approx([2 * 0.5 / 9, 2 * other / 9, 2 * other / 9], abs=1e-5)


def test_angles_are_taken_in_groups_and_the_rest_counts_nothing() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(8, 4), torch.randn(8, 6)
    loss = LOSSES.get("rkd-angle")(group=3)
    found = loss(vectors(student, teacher))
    assert (found[:6] > 0).all()
    assert found[6:].tolist() == [0, 0]
    first = loss(vectors(student[[0, 2, 4]], teacher[[0, 2, 4]]))
    assert found[[0, 2, 4]].tolist() == pytest.approx(first.tolist(), abs=1e-6)


@pytest.mark.parametrize("name", ["rkd-angle", "rkd-distance"])
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(3, 9),
    scale=st.floats(0.5, 20),
    turn=st.floats(0, 6),
)
def test_relations_do_not_change_with_size_place_and_direction(
    name: str, seed: int, count: int, scale: float, turn: float
) -> None:
    teacher = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))
    rotation = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    student = scale * (teacher @ rotation) + 0.7
    assert LOSSES.get(name)()(vectors(student, teacher)).abs().max() < 2e-3


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    scale=st.floats(0.5, 20),
    turn=st.floats(0, 6),
)
def test_token_relations_do_not_change_with_size_and_direction(
    seed: int, lengths: list[int], scale: float, turn: float
) -> None:
    draw = torch.Generator().manual_seed(seed)
    states = torch.randn(len(lengths), max(lengths), 2, generator=draw)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    rotation = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    turned = torch.where(mask[:, :, None], scale * (states @ rotation), 99.0)  # padding is no text
    count = len(lengths)
    data = replace(
        vectors(torch.zeros(count, 1), torch.zeros(count, 1)),
        tokens=TokenStates(turned, mask),
        teacher_tokens=TokenStates(states, mask),
    )
    assert LOSSES.get("token-gram")()(data).tolist() == pytest.approx([0] * count, abs=1e-5)


@pytest.mark.parametrize("name", VECTOR_LOSSES)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_equal_vectors_give_finite_values_and_gradients(name: str, count: int) -> None:
    student = torch.ones(count, 4, requires_grad=True)
    found = LOSSES.get(name)()(vectors(student, torch.randn(count, 4)))
    assert found.shape == (count,)
    [gradient] = torch.autograd.grad(found.sum(), student, allow_unused=False)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", VECTOR_LOSSES)
def test_without_vectors_they_say_what_they_are_for(name: str) -> None:
    with pytest.raises(UsageError, match="compares vectors"):
        LOSSES.get(name)()(rows([[1, 2]], [[1, 2]], [0]))


def test_tokens_are_compared_by_their_cosines_and_padding_is_not() -> None:
    # the student's two tokens have cosine 0, the teacher's 1; a padded third one would add more
    student = TokenStates(
        torch.tensor([[[2.0, 0], [0, 3], [9, 9]]], requires_grad=True),
        torch.tensor([[True, True, False]]),
    )
    teacher = TokenStates(torch.tensor([[[1.0], [4], [-5]]]), student.mask)
    data = replace(vectors(torch.zeros(1, 1), torch.zeros(1, 1)), tokens=student)
    loss = LOSSES.get("token-gram")()
    # of the four pairs the two that are no token with itself differ by 1
    found = loss(replace(data, teacher_tokens=teacher))
    assert found.tolist() == pytest.approx([0.5])
    assert loss(replace(data, teacher_tokens=student)).tolist() == pytest.approx([0])
    [gradient] = torch.autograd.grad(found.sum(), student.states)
    assert torch.isfinite(gradient).all() and not gradient[0, 2].any()
    with pytest.raises(UsageError, match="vectors of tokens"):
        loss(data)


def test_the_first_numbers_learn_what_the_whole_says() -> None:
    loss = LOSSES.get("matryoshka")(sizes=(1,), scale=math.log(3))
    teacher = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    # seen from the first text the others have cosines 1 and 0: shares 3/4 and 1/4. Cut to one
    # number all the student's texts are the same: 1/2 and 1/2. The third sees even shares, too.
    student = torch.tensor([[1.0, 0], [1, 1], [1, 5]])
    apart = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    found = loss(vectors(student, teacher))
    assert found.tolist() == pytest.approx([apart, apart, 0], abs=1e-5)
    two = LOSSES.get("matryoshka")(sizes=(1, 2), scale=math.log(3))
    assert two(vectors(teacher, teacher))[2].item() == pytest.approx(0, abs=1e-5)
    with pytest.raises(UsageError, match="2 numbers"):
        LOSSES.get("matryoshka")(sizes=(4,))(vectors(student, teacher))
