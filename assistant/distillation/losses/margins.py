"""Losses on differences of scores, which do not care on what scale a teacher's scores begin."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from assistant.distillation.losses.base import LOSSES, LossPart, teacher_of
from assistant.distillation.terms import LossInput
from assistant.errors import UsageError


@LOSSES.register("margin-mse")
class MarginMSE(LossPart):
    """Mean over the negatives n of ((s⁺ − sₙ) − c · (t⁺ − tₙ))².

    s are the student's scores, t the teacher's, ⁺ the row's target, c = `scale` (Hofstätter et
    al., 2020, arXiv 2010.02666, equation 6, for one negative). Differences of log-probabilities are
    those of the scores, so the teacher's rows serve. The temperature is not used.
    """

    scale: float = Field(1.0, gt=0)

    def __call__(self, batch: LossInput) -> Tensor:
        teacher = teacher_of(batch)
        if not teacher.whole:
            raise UsageError(
                "margin-mse needs the teacher's score of every candidate",
                remedy="leave out teacher.top_k",
            )
        student, taught = batch.logits.float(), teacher.logprobs.float()
        target = batch.targets[:, None]
        valid = (student > -torch.inf) & (taught > -torch.inf)
        negatives = valid.scatter(-1, target, torch.zeros_like(target, dtype=torch.bool))
        student, taught = student.masked_fill(~valid, 0.0), taught.masked_fill(~valid, 0.0)
        ours = student.gather(-1, target) - student
        theirs = self.scale * (taught.gather(-1, target) - taught)
        squares = (ours - theirs).square() * negatives
        return squares.sum(-1) / negatives.sum(-1).clamp(min=1)
