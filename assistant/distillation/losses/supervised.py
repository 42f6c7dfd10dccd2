"""Learning from the right choice itself."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from assistant.distillation.losses.base import LOSSES, LossPart, student_logprobs
from assistant.distillation.terms import LossInput


@LOSSES.register("cross-entropy")
class CrossEntropy(LossPart):
    """−(1 − ε) · log q(y) − ε · mean over the allowed choices of log q.

    Label smoothing ε: Szegedy et al., 2016, arXiv 1512.00567. Rows whose target the student wrote
    itself count 0: what it wrote is not what it should have written.
    """

    label_smoothing: float = Field(0.0, ge=0, lt=1)

    @property
    def needs_teacher(self) -> bool:
        return False

    def __call__(self, batch: LossInput) -> Tensor:
        q = student_logprobs(batch.logits, self.temperature)
        loss = -q.gather(-1, batch.targets[:, None])[:, 0]
        if self.label_smoothing:
            allowed = batch.logits > -torch.inf
            even = -(q * allowed).sum(-1) / allowed.sum(-1)
            loss = (1 - self.label_smoothing) * loss + self.label_smoothing * even
        return loss * ~batch.sampled
