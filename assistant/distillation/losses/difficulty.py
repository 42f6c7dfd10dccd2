"""Losses that teach easy and hard rows differently."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor

from assistant.distillation.losses.base import FLOOR, LOSSES, Buckets, LossPart, buckets, kl, mixed
from assistant.distillation.terms import LossInput


@LOSSES.register("easy-hard")
class EasyHard(LossPart):
    """Easy rows learn the other choices alone, hard rows the target as well.

    ATKD, Zhong et al., 2024, arXiv 2402.11890. With u = 1 − p(y), rows with u above the batch's
    median are hard. KL(p ‖ q) falls into the target's part, KL of (p(y), 1 − p(y)) against
    (q(y), 1 − q(y)), and the part of the others, KL of both renormalised without y:

        easy: KL_others            hard: KL_target + KL_others

    `easy` and `hard` weigh the two kinds of rows.
    """

    easy: float = Field(1.0, ge=0)
    hard: float = Field(1.0, ge=0)

    def __call__(self, batch: LossInput) -> Tensor:
        both = buckets(batch, self.temperature)
        target, others = parts(both)
        unsure = 1 - both.teacher.gather(-1, both.target[:, None])[:, 0].exp()
        hard = unsure > _median(unsure[both.known])
        loss = torch.where(hard, self.hard * (target + others), self.easy * others)
        return self.temperature**2 * loss * both.known


@LOSSES.register("token-difficulty")
class TokenDifficulty(LossPart):
    """Rows that the student finds hard learn from the teacher with the gold mixed in.

    Self-Evolution Knowledge Distillation, Song et al., 2024, arXiv 2412.15303. With the blend
    m = λ·onehot(y) + (1 − λ)·p (`prior` is λ), a row's difficulty is KL(m ‖ q), without gradient.
    The hardest `hard_share` of the rows minimise KL(m ‖ q), the others KL(p ‖ q).
    """

    prior: float = Field(0.5, gt=0, lt=1)
    hard_share: float = Field(0.5, ge=0, le=1)

    def __call__(self, batch: LossInput) -> Tensor:
        both = buckets(batch, self.temperature)
        gold = torch.full_like(both.teacher, FLOOR).scatter(-1, both.target[:, None], 0.0)
        to_blend = kl(mixed(gold, both.teacher, self.prior), both.student)
        to_teacher = kl(both.teacher, both.student)
        hard = torch.zeros_like(batch.sampled)
        count = math.ceil(self.hard_share * int(both.known.sum()))
        difficulty = to_blend.detach().masked_fill(~both.known, -torch.inf)
        hard[difficulty.topk(count).indices] = True
        return self.temperature**2 * torch.where(hard, to_blend, to_teacher) * both.known


def parts(both: Buckets) -> tuple[Tensor, Tensor]:
    """The target's and the others' part of KL(p ‖ q), (N,) each (DKD, arXiv 2203.08679).

    KL(p ‖ q) = target's part + (1 − p(y)) · others' part.
    """
    at = torch.zeros_like(both.teacher, dtype=torch.bool).scatter(-1, both.target[:, None], True)

    def split(logprobs: Tensor) -> tuple[Tensor, Tensor]:
        # far below FLOOR, so that others without any mass still share all there is among them
        without = logprobs.masked_fill(at, 100 * FLOOR)
        rest = without.logsumexp(-1)
        own = logprobs.gather(-1, both.target[:, None])[:, 0]
        return torch.stack([own, rest], dim=-1), torch.log_softmax(without, dim=-1)

    p_target, p_others = split(both.teacher)
    q_target, q_others = split(both.student)
    # where the teacher gives the others no mass at all, there is nothing to learn about them
    some = p_target[:, 1] > FLOOR / 100
    return kl(p_target, q_target), kl(p_others, q_others) * some


def _median(values: Tensor) -> Tensor:
    # quantile refuses more than 2²⁴ values; median of an empty batch is not asked for
    return values.median() if len(values) else values.new_zeros(())
