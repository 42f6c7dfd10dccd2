"""Divergences between the teacher's distribution p and the student's q, row by row.

Each is multiplied by temperature², so that its gradient keeps its size when the temperature is
changed (Hinton et al., 2015, arXiv 1503.02531, section 2).
"""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from assistant.distillation.losses.base import LOSSES, LossPart, buckets, kl, mixed
from assistant.distillation.terms import LossInput


class _Divergence(LossPart):
    def between(self, p: Tensor, q: Tensor) -> Tensor:
        """From log-probabilities (N, B) to (N,)."""
        raise NotImplementedError

    def __call__(self, batch: LossInput) -> Tensor:
        both = buckets(batch, self.temperature)
        return self.temperature**2 * self.between(both.teacher, both.student) * both.known


@LOSSES.register("forward-kl")
class ForwardKL(_Divergence):
    """KL(p ‖ q): the student covers whatever the teacher finds likely (Hinton et al., 2015)."""

    def between(self, p: Tensor, q: Tensor) -> Tensor:
        return kl(p, q)


@LOSSES.register("reverse-kl")
class ReverseKL(_Divergence):
    """KL(q ‖ p): the student keeps to what the teacher finds likely (MiniLLM, arXiv 2306.08543)."""

    def between(self, p: Tensor, q: Tensor) -> Tensor:
        return kl(q, p)


@LOSSES.register("jsd")
class GeneralisedJSD(_Divergence):
    """β · KL(p ‖ m) + (1 − β) · KL(q ‖ m) with m = β·p + (1 − β)·q.

    GKD, Agarwal et al., 2024, arXiv 2306.13649, equation 1. Divided by β it becomes the forward KL
    as β → 0, divided by 1 − β the reverse KL as β → 1; symmetric at β = .5.
    """

    beta: float = Field(0.5, gt=0, lt=1)

    def between(self, p: Tensor, q: Tensor) -> Tensor:
        m = mixed(p, q, self.beta)
        return self.beta * kl(p, m) + (1 - self.beta) * kl(q, m)


@LOSSES.register("skew-forward-kl")
class SkewForwardKL(_Divergence):
    """KL(p ‖ α·p + (1 − α)·q): bounded gradients (DistiLLM, Ko et al., 2024, arXiv 2402.03898)."""

    alpha: float = Field(0.1, gt=0, lt=1)

    def between(self, p: Tensor, q: Tensor) -> Tensor:
        return kl(p, mixed(p, q, self.alpha))


@LOSSES.register("skew-reverse-kl")
class SkewReverseKL(_Divergence):
    """KL(q ‖ α·q + (1 − α)·p) (DistiLLM, arXiv 2402.03898)."""

    alpha: float = Field(0.1, gt=0, lt=1)

    def between(self, p: Tensor, q: Tensor) -> Tensor:
        return kl(q, mixed(q, p, self.alpha))
