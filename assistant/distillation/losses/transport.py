"""Losses that compare distributions by what it costs to carry one over into the other."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import pad

from assistant.distillation.losses.base import LOSSES, LossPart, floor, student_logprobs, teacher_of
from assistant.distillation.losses.representations import unit_vectors_of
from assistant.distillation.terms import LossInput


@LOSSES.register("universal-logit")
class UniversalLogit(LossPart):
    """Σᵢ |p₍ᵢ₎ − q₍ᵢ₎| over the probabilities of each in falling order.

    The universal logit distillation loss, Boizard et al., 2024, arXiv 2402.12030: the Wasserstein
    distance of two distributions where every choice is as far from every other, so that nothing has
    to be known of which choice means what. The paper adds it to cross-entropy with weight 1.5. A
    shorter row is filled up with zeros. Of a teacher that names k choices only, these are compared
    with the student's k likeliest, and the rest of both as one mass. Rows for which the teacher has
    none, because its completion has fewer tokens, count 0.
    """

    any_tokenizer: ClassVar[bool] = True

    def __call__(self, batch: LossInput) -> Tensor:
        teacher = teacher_of(batch)
        theirs = floor(teacher.logprobs.float()).sort(-1, descending=True).values
        ours = student_logprobs(batch.logits).sort(-1, descending=True).values
        if not teacher.whole:
            k = theirs.shape[-1]
            rest = torch.cat([ours[:, k:], torch.full_like(ours[:, :1], -math.inf)], dim=-1)
            ours = torch.cat([ours[:, :k], floor(rest.logsumexp(-1, keepdim=True))], dim=-1)
            theirs = torch.cat([theirs, floor(teacher.tail[:, None].float())], dim=-1)
        p, q = (torch.softmax(values / self.temperature, dim=-1) for values in (theirs, ours))
        width = max(p.shape[-1], q.shape[-1])
        p, q = (pad(values, (0, width - values.shape[-1])) for values in (p, q))
        return (p - q).abs().sum(-1) * teacher.known


@LOSSES.register("wasserstein")
class Wasserstein(LossPart):
    """⟨T, C⟩ between the batch's vectors of student and teacher, C the matrix of 1 − cos.

    The local part of the Wasserstein contrastive distillation of Chen et al., 2021, arXiv
    2012.08674: the plan T that carries the one set of vectors over into the other at the least
    cost, each vector with mass 1/S, is found by `iterations` rounds of Sinkhorn's algorithm
    (Cuturi, 2013, arXiv 1306.0895) with the entropy of the plan weighed by `epsilon`, and is held
    fixed for the gradient. It compares two sets: which vector belongs to which example it does not
    know, so it goes beside a loss that does. The global part is `wasserstein-global`. The value of
    an example is S times its share of the cost.
    """

    epsilon: float = Field(0.05, gt=0)
    iterations: int = Field(30, ge=1)

    def __call__(self, batch: LossInput) -> Tensor:
        student, teacher = unit_vectors_of(batch)
        cost = 1 - student @ teacher.T
        plan = _plan(cost.detach(), self.epsilon, self.iterations)
        return len(student) * (plan * cost).sum(-1)


def _plan(cost: Tensor, epsilon: float, iterations: int) -> Tensor:
    """The plan (S, S) of least regularised cost; its rows sum to 1/S to the last digits."""
    kernel = -cost / epsilon
    mass = -math.log(len(cost))
    columns = torch.zeros_like(cost[0])
    for _ in range(iterations):
        rows = mass - (kernel + columns[None, :]).logsumexp(1)
        columns = mass - (kernel + rows[:, None]).logsumexp(0)
    rows = mass - (kernel + columns[None, :]).logsumexp(1)
    return (kernel + rows[:, None] + columns[None, :]).exp()
