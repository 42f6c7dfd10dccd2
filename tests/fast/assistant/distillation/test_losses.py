"""Losses against values worked out by hand, and what has to hold for any distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.distillation.losses import LOSSES
from assistant.distillation.terms import LossInput, TeacherRows
from assistant.errors import UsageError

# One row of three choices: the teacher (.5, .3, .2), the student (.2, .5, .3).
P = np.array([0.5, 0.3, 0.2])
Q = np.array([0.2, 0.5, 0.3])
INF = -math.inf


def batch(
    student, teacher=None, targets=(0,), *, k=None, sampled=None, sequences=None, rows=None
) -> LossInput:
    """From probabilities; `rows` is a teacher that is given as it is."""
    logits = torch.tensor(np.atleast_2d(student), dtype=torch.float32).log()
    count = len(logits)
    if teacher is not None:
        rows = TeacherRows.from_logits(
            torch.tensor(np.atleast_2d(teacher), dtype=torch.float32).log(), k
        )
    return LossInput(
        logits=logits,
        targets=torch.tensor(targets),
        teacher=rows,
        weights=torch.ones(count),
        sequences=torch.tensor(sequences or list(range(count))),
        sampled=torch.tensor(sampled or [False] * count),
    )


def loss(name: str, given: LossInput, **parameters) -> list[float]:
    return LOSSES.get(name)(**parameters)(given).tolist()


def kl(p, q) -> float:
    return float(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0))


def tempered(p, temperature: float) -> np.ndarray:
    raised = np.power(p, 1 / temperature)
    return raised / raised.sum()


# --- by hand ---------------------------------------------------------------------------------


def test_cross_entropy() -> None:
    # −ln .2 = 1.609438; smoothed by .1: .9 · 1.609438 + .1 · (1.609438 + .693147 + 1.203973) / 3
    assert loss("cross-entropy", batch(Q)) == pytest.approx([1.609438], abs=1e-5)
    smoothed = loss("cross-entropy", batch(Q), label_smoothing=0.1)
    assert smoothed == pytest.approx([0.9 * 1.609438 + 0.1 * 3.506558 / 3], abs=1e-5)


def test_cross_entropy_smooths_over_allowed_choices_alone() -> None:
    # (.4, .6, −): .8 · .916291 + .2 · (.916291 + .510826) / 2
    given = batch([0.4, 0.6, 0.0])
    assert loss("cross-entropy", given, label_smoothing=0.2) == pytest.approx(
        [0.8 * 0.916291 + 0.2 * 1.427117 / 2], abs=1e-5
    )


def test_cross_entropy_leaves_out_what_the_student_wrote() -> None:
    given = batch([Q, Q], targets=(0, 0), sampled=[True, False])
    assert loss("cross-entropy", given) == pytest.approx([0.0, 1.609438], abs=1e-5)


def test_forward_kl() -> None:
    # .5 ln 2.5 + .3 ln .6 + .2 ln (2/3) = .458145 − .153248 − .081093
    assert loss("forward-kl", batch(Q, P)) == pytest.approx([0.223804], abs=1e-5)


def test_reverse_kl() -> None:
    # .2 ln .4 + .5 ln (5/3) + .3 ln 1.5 = −.183258 + .255413 + .121640
    assert loss("reverse-kl", batch(Q, P)) == pytest.approx([0.193794], abs=1e-5)


def test_jsd() -> None:
    # m = .25·p + .75·q = (.275, .45, .275); .25·KL(p‖m) + .75·KL(q‖m)
    m = (0.275, 0.45, 0.275)
    expected = 0.25 * kl(P, m) + 0.75 * kl(Q, m)
    assert expected == pytest.approx(0.25 * 0.113588 + 0.75 * 0.015093, abs=1e-5)
    assert loss("jsd", batch(Q, P), beta=0.25) == pytest.approx([expected], abs=1e-6)


def test_skewed_kls() -> None:
    # α = .1: .1·p + .9·q = (.23, .48, .29); .1·q + .9·p = (.47, .32, .21)
    forward = 0.5 * math.log(0.5 / 0.23) + 0.3 * math.log(0.3 / 0.48) + 0.2 * math.log(0.2 / 0.29)
    reverse = 0.2 * math.log(0.2 / 0.47) + 0.5 * math.log(0.5 / 0.32) + 0.3 * math.log(0.3 / 0.21)
    assert loss("skew-forward-kl", batch(Q, P)) == pytest.approx([forward], abs=1e-5)
    assert loss("skew-reverse-kl", batch(Q, P)) == pytest.approx([reverse], abs=1e-5)


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("forward-kl", kl),
        ("reverse-kl", lambda p, q: kl(q, p)),
        ("skew-forward-kl", lambda p, q: kl(p, 0.1 * p + 0.9 * q)),
        ("skew-reverse-kl", lambda p, q: kl(q, 0.1 * q + 0.9 * p)),
        ("jsd", lambda p, q: (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2),
    ],
)
def test_temperature_softens_both_and_keeps_the_gradients_size(name: str, of) -> None:
    expected = 4 * of(tempered(P, 2), tempered(Q, 2))
    assert loss(name, batch(Q, P), temperature=2) == pytest.approx([expected], abs=1e-5)


def test_a_teacher_of_k_choices_is_compared_over_k_choices_and_the_rest() -> None:
    # the teacher names .5 and .3 of (.5, .3, .15, .05); the student has .1, .4 and .5 for the rest
    given = batch([0.1, 0.4, 0.3, 0.2], [0.5, 0.3, 0.15, 0.05], k=2)
    expected = kl((0.5, 0.3, 0.2), (0.1, 0.4, 0.5))
    assert loss("forward-kl", given) == pytest.approx([expected], abs=1e-5)
    assert loss("reverse-kl", given) == pytest.approx(
        [kl((0.1, 0.4, 0.5), (0.5, 0.3, 0.2))], abs=1e-5
    )


def test_filled_up_choices_of_a_stored_row_count_as_not_named() -> None:
    # two named choices of the store's three; the filling is choice 0 without mass
    rows = TeacherRows(
        torch.tensor([[2, 1, 0]]),
        torch.tensor([[math.log(0.6), math.log(0.3), INF]]),
        torch.tensor([math.log(0.1)]),
    )
    given = batch([0.5, 0.2, 0.3], rows=rows)
    expected = kl((0.6, 0.3, 0.1), (0.3, 0.2, 0.5))
    assert loss("forward-kl", given) == pytest.approx([expected], abs=1e-5)


def test_policy_gradient() -> None:
    # One completion of three tokens. r_t = ln p(y) − ln q(y): ln 2.5, ln .6, ln (2/3).
    given = batch([Q] * 3, [P] * 3, (0, 1, 2), sampled=[True] * 3, sequences=[0, 0, 0])
    r = [math.log(2.5), math.log(0.6), math.log(2 / 3)]
    step = kl(Q, P)
    returns = [(r[1] + r[2]) / 2, r[2], 0.0]
    expected = [
        step - returns[0] * math.log(0.2),
        step - returns[1] * math.log(0.5),
        step,
    ]
    assert loss("policy-gradient", given) == pytest.approx(expected, abs=1e-5)
    # Tokens drawn with a share .2 of the teacher: w = q / (.2 p + .8 q).
    weights = [q / (0.2 * p + 0.8 * q) for p, q in zip(P, Q, strict=True)]
    mixed = [w * value for w, value in zip(weights, expected, strict=True)]
    assert loss("policy-gradient", given, teacher_mix=0.2) == pytest.approx(mixed, abs=1e-5)


def test_policy_gradient_keeps_completions_apart() -> None:
    given = batch([Q] * 3, [P] * 3, (0, 0, 1), sampled=[True, True, False], sequences=[0, 1, 1])
    step = kl(Q, P)
    # the second completion: its first token leads to r = ln .6; its last was not sampled
    expected = [step, step - math.log(0.6) * math.log(0.2), step]
    assert loss("policy-gradient", given) == pytest.approx(expected, abs=1e-5)


def test_the_gradient_of_policy_gradient_is_that_of_the_reverse_kl_of_sequences() -> None:
    """Two tokens of two choices, every completion weighed by its probability: exact by numbers."""
    first = torch.tensor([0.3, -0.2], requires_grad=True)  # logits of the student's first token
    second = torch.tensor([[0.1, 0.4], [-0.5, 0.2]], requires_grad=True)  # … after each first one
    p_first = torch.tensor([0.6, 0.4]).log()
    p_second = torch.tensor([[0.7, 0.3], [0.2, 0.8]]).log()
    part = LOSSES.get("policy-gradient")()
    total = torch.zeros(())
    for one in (0, 1):
        for two in (0, 1):
            q = torch.log_softmax(first, 0)[one] + torch.log_softmax(second[one], 0)[two]
            given = LossInput(
                logits=torch.stack([first, second[one]]),
                targets=torch.tensor([one, two]),
                teacher=TeacherRows.from_logits(torch.stack([p_first, p_second[one]])),
                weights=torch.ones(2),
                sequences=torch.tensor([0, 0]),
                sampled=torch.tensor([True, True]),
            )
            total = total + q.detach().exp() * part(given).sum()
    ours = torch.autograd.grad(total, [first, second])
    q_first, q_second = torch.log_softmax(first, 0), torch.log_softmax(second, 1)
    reverse = (q_first.exp() * (q_first - p_first)).sum() + (
        q_first.exp()[:, None] * q_second.exp() * (q_second - p_second)
    ).sum()
    theirs = torch.autograd.grad(reverse, [first, second])
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)


def test_easy_hard() -> None:
    # targets with p = .5 and p = .2: u = .5 and .8; the median is .5, so the second row is hard
    given = batch([Q, Q], [P, P], (0, 2))
    easy = kl((0.6, 0.4), (0.625, 0.375))  # without choice 0
    hard = kl((0.2, 0.8), (0.3, 0.7)) + kl((0.625, 0.375), (2 / 7, 5 / 7))  # without choice 2
    assert loss("easy-hard", given) == pytest.approx([easy, hard], abs=1e-5)
    weighed = loss("easy-hard", given, easy=0.2, hard=0.8)
    assert weighed == pytest.approx([0.2 * easy, 0.8 * hard], abs=1e-5)


def test_easy_hard_parts_make_up_the_whole_kl() -> None:
    from assistant.distillation.losses.base import buckets
    from assistant.distillation.losses.difficulty import parts

    target, others = parts(buckets(batch(Q, P, (1,))))
    assert float(target + (1 - 0.3) * others) == pytest.approx(kl(P, Q), abs=1e-6)


def test_token_difficulty() -> None:
    # λ = .5. Row 1: blend (.75, .15, .1); row 2 with the target 1: blend (.25, .65, .1).
    given = batch([Q, Q], [P, P], (0, 1))
    first, second = kl((0.75, 0.15, 0.1), Q), kl((0.25, 0.65, 0.1), Q)
    assert first > second  # so the first is hard and learns the blend, the second the teacher
    assert loss("token-difficulty", given) == pytest.approx([first, kl(P, Q)], abs=1e-5)
    assert loss("token-difficulty", given, hard_share=1.0) == pytest.approx(
        [first, second], abs=1e-5
    )
    assert loss("token-difficulty", given, hard_share=0.0) == pytest.approx(
        [kl(P, Q)] * 2, abs=1e-5
    )


def test_universal_logit_compares_probabilities_by_rank() -> None:
    # (.5, .3, .2) against (.5, .3, .2) in another order; against (.6, .4): .1 + .1 + .2
    assert loss("universal-logit", batch(Q, P)) == pytest.approx([0.0], abs=1e-6)
    given = batch([[0.6, 0.4]], rows=TeacherRows.from_logits(torch.tensor(P[None]).float().log()))
    assert loss("universal-logit", given) == pytest.approx([0.4], abs=1e-6)
    # one named choice of .5 and .5 besides, against .6 and .4 besides: .1 + .1
    assert loss("universal-logit", batch([0.1, 0.3, 0.6], P, k=1)) == pytest.approx([0.2], abs=1e-6)
    # at temperature 2 the roots count: √.5, √.3, √.2 over their sum against √.6, √.3, √.1
    ours, theirs = tempered([0.6, 0.3, 0.1], 2), tempered(P, 2)
    found = loss("universal-logit", batch([0.1, 0.3, 0.6], P), temperature=2.0)
    assert found == pytest.approx([float(np.abs(ours - theirs).sum())], abs=1e-6)


def test_without_a_teacher_a_loss_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="teacher") as caught:
        loss("forward-kl", batch(Q))
    assert "take out the loss" in caught.value.remedy


# --- for any distributions -------------------------------------------------------------------

# those on vectors and on margins have tests of their own: test_retrieval_losses.py
OTHERS = {
    "cosine",
    "margin-mse",
    "matryoshka",
    "rkd-angle",
    "rkd-distance",
    "token-gram",
    "wasserstein",
    "wasserstein-global",
}
ON_ROWS = sorted(set(LOSSES.names()) - OTHERS)
WITH_TEACHER = [n for n in ON_ROWS if LOSSES.get(n)().needs_teacher]
DIVERGENCES = ["forward-kl", "reverse-kl", "jsd", "skew-forward-kl", "skew-reverse-kl"]


@st.composite
def rows(draw):
    """Logits of student and teacher (N, V), a mask of allowed choices, targets within it."""
    count, choices = draw(st.integers(1, 4)), draw(st.integers(2, 7))
    number = st.floats(-8, 8, width=32)
    matrix = st.lists(
        st.lists(number, min_size=choices, max_size=choices), min_size=count, max_size=count
    )
    student, teacher = torch.tensor(draw(matrix)), torch.tensor(draw(matrix))
    allowed = torch.tensor(
        draw(
            st.lists(
                st.lists(st.booleans(), min_size=choices, max_size=choices),
                min_size=count,
                max_size=count,
            )
        )
    )
    targets = torch.tensor(
        draw(st.lists(st.integers(0, choices - 1), min_size=count, max_size=count))
    )
    allowed[torch.arange(count), targets] = True
    return student, teacher, allowed, targets, draw(st.sampled_from([None, 1, 2, 3]))


def made(given, *, sampled: bool = False) -> LossInput:
    student, teacher, allowed, targets, k = given
    return LossInput(
        logits=student.masked_fill(~allowed, INF).requires_grad_(),
        targets=targets,
        teacher=TeacherRows.from_logits(teacher.masked_fill(~allowed, INF), k),
        weights=torch.ones(len(student)),
        sequences=torch.zeros(len(student), dtype=torch.long),
        sampled=torch.full((len(student),), sampled),
    )


@pytest.mark.parametrize("name", ON_ROWS)
@pytest.mark.parametrize("sampled", [False, True])
@settings(max_examples=40, deadline=None)
@given(given=rows(), temperature=st.sampled_from([0.5, 1.0, 3.0]))
def test_values_and_gradients_are_finite_whatever_is_masked(
    name, sampled, given, temperature
) -> None:
    data = made(given, sampled=sampled)
    values = LOSSES.get(name)(temperature=temperature)(data)
    assert values.shape == data.targets.shape
    assert torch.isfinite(values).all()
    [gradient] = torch.autograd.grad(values.sum(), data.logits)
    assert torch.isfinite(gradient).all()
    assert (gradient[~given[2]] == 0).all()


@pytest.mark.parametrize("name", DIVERGENCES)
@settings(max_examples=60, deadline=None)
@given(given=rows())
def test_divergences_are_never_negative(name, given) -> None:
    assert (LOSSES.get(name)()(made(given)) >= -1e-4).all()


@pytest.mark.parametrize("name", WITH_TEACHER)
@settings(max_examples=40, deadline=None)
@given(given=rows())
def test_equal_distributions_lose_nothing(name, given) -> None:
    student, _, allowed, targets, k = given
    if name == "token-difficulty":
        values = LOSSES.get(name)(hard_share=0.0)(made((student, student, allowed, targets, k)))
    else:
        values = LOSSES.get(name)()(made((student, student, allowed, targets, k)))
    assert values.abs().max() < 2e-3


@settings(max_examples=60, deadline=None)
@given(given=rows())
def test_jsd_at_one_half_is_symmetric(given) -> None:
    student, teacher, allowed, targets, _ = given
    there = LOSSES.get("jsd")()(made((student, teacher, allowed, targets, None)))
    back = LOSSES.get("jsd")()(made((teacher, student, allowed, targets, None)))
    torch.testing.assert_close(there, back, atol=1e-4, rtol=1e-3)


@settings(max_examples=60, deadline=None)
@given(given=rows())
def test_merging_choices_never_adds_to_the_kl(given) -> None:
    student, teacher, allowed, targets, _ = given
    whole = LOSSES.get("forward-kl")()(made((student, teacher, allowed, targets, None)))
    merged = LOSSES.get("forward-kl")()(made((student, teacher, allowed, targets, 1)))
    assert (merged <= whole + 2e-3).all()
