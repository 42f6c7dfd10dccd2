"""Reverse KL of whole sequences by policy gradient: MiniLLM, Gu et al., 2024, arXiv 2306.08543."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor

from assistant.distillation.losses.base import LOSSES, LossPart, buckets, kl, teacher_of
from assistant.distillation.terms import LossInput


@LOSSES.register("policy-gradient")
class PolicyGradient(LossPart):
    """The reverse KL of sequences, as a surrogate whose gradient is MiniLLM's (its equation 6).

    With r_t = log p(y_t) − log q(y_t), each sampled position t of a completion of T tokens has

        w_t · KL(q ‖ p)_t                       the single step, exact over the choices
      − w_t · R_{t+1} · log q(y_t)              what the choice leads to

    where R_{t+1} = Σ_{t' > t} r_t' / (T − t) is the return divided by its length (0 at the last
    position), and w_t = q(y_t) / (α·p(y_t) + (1 − α)·q(y_t)) corrects for tokens that were drawn
    from the teacher's distribution with share α (`teacher_mix`, the same as in `sampling`). R and w
    carry no gradient. Positions that the student did not write have the single step alone. A token
    that the teacher does not name gets an even share of its tail.
    """

    teacher_mix: float = Field(0.0, ge=0, lt=1)
    reward_limit: float = Field(10.0, gt=0, description="|r_t| beyond this is cut: it is noise")

    def __call__(self, batch: LossInput) -> Tensor:
        both = buckets(batch, self.temperature)
        step = kl(both.student, both.teacher)
        q = both.student.gather(-1, both.target[:, None])[:, 0]
        p = both.teacher.gather(-1, both.target[:, None])[:, 0]
        if not teacher_of(batch).whole:
            named = both.teacher.shape[-1] - 1  # the last bucket is the tail
            unnamed = both.target == named
            share = math.log(max(1, batch.logits.shape[-1] - named))
            p = torch.where(unnamed, p - share, p)
            own = torch.log_softmax(batch.logits.float() / self.temperature, dim=-1)
            q = torch.where(unnamed, own.gather(-1, batch.targets[:, None])[:, 0], q)
        reward = (p - q).detach().clamp(-self.reward_limit, self.reward_limit)
        returns = _returns(reward * both.known, batch.sequences)
        weight = torch.ones_like(q)
        if self.teacher_mix:
            share_p = math.log(self.teacher_mix)
            share_q = math.log1p(-self.teacher_mix)
            weight = (q - torch.logaddexp(p + share_p, q + share_q)).detach().exp()
        led_to = -weight * returns * q
        return torch.where(batch.sampled, weight * step + led_to, step) * both.known


def _returns(rewards: Tensor, sequences: Tensor) -> Tensor:
    """R of each position: the mean of the later rewards of its sequence, 0 at the last.

    Both (N,), positions in order, sequences ascending.
    """
    if not len(rewards):
        return rewards
    running = rewards.cumsum(0)
    lengths = torch.bincount(sequences)
    last = lengths.cumsum(0)[sequences] - 1  # (N,) the place of the sequence's last position
    places = torch.arange(len(rewards), device=rewards.device)
    later = last - places
    return (running[last] - running) / later.clamp(min=1)
