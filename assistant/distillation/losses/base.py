"""What losses share: student and teacher over the same buckets, without NaN where −inf stands.

A teacher that names only its k likeliest choices is compared over k + 1 buckets: those choices, and
one for all the rest. A temperature is applied to the buckets of both, so that equal distributions
stay equal; with every choice named this is the usual softmax(logits / T).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from assistant.distillation.beside import Kept
from assistant.distillation.registry import Registry
from assistant.distillation.terms import LossInput, TeacherRows
from assistant.errors import UsageError

# Stands for −inf: exp() of it is 0 in float32, and differences and products with it stay finite.
FLOOR = -1e4


class LossPart(BaseModel):
    """A loss and its parameters. `temperature` divides the logits before the softmax."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(1.0, gt=0)
    any_tokenizer: ClassVar[bool] = False
    """Whether a teacher may have other choices than the student, as with another tokenizer."""
    uses_tokens: ClassVar[bool] = False
    """Whether it needs the vectors of every token: a task keeps them for such a loss alone."""

    @property
    def needs_teacher(self) -> bool:
        return True

    def beside(self, seed: int, file: str) -> Kept | None:
        """What the loss trains itself, newly made; None where it has nothing of the kind.

        Args:
            file: what it is called in a checkpoint.
        """
        return None

    def __call__(self, batch: LossInput) -> Tensor:
        raise NotImplementedError


LOSSES: Registry[type[LossPart]] = Registry("loss")


@dataclass(frozen=True, slots=True)
class Buckets:
    """Both distributions over the same B buckets as finite log-probabilities, (N, B).

    `target` (N,) is the bucket in which the row's target lies. `known` (N,) is False where the
    teacher has nothing to say; its buckets are then even, so that all stays finite, and what a loss
    makes of them has to be multiplied with `known`.
    """

    teacher: Tensor
    student: Tensor
    target: Tensor
    known: Tensor


def floor(logprobs: Tensor) -> Tensor:
    """−inf becomes a finite number whose probability is 0."""
    return logprobs.masked_fill(logprobs == -torch.inf, FLOOR)


def student_logprobs(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Log-probabilities (N, V) in float32, finite everywhere."""
    return floor(torch.log_softmax(logits.float() / temperature, dim=-1))


def teacher_of(batch: LossInput) -> TeacherRows:
    """The teacher's rows.

    Raises:
        UsageError: the recipe has no teacher, but one of its losses needs one.
    """
    if batch.teacher is None:
        raise UsageError(
            "this loss compares with a teacher, and the recipe has none",
            remedy="give the recipe a teacher, or take out the loss",
        )
    return batch.teacher


def buckets(batch: LossInput, temperature: float = 1.0) -> Buckets:
    """Student and teacher over the choices that the teacher names, and one bucket for the rest."""
    teacher = teacher_of(batch)
    student = student_logprobs(batch.logits)
    if teacher.whole:
        p, q, target = floor(teacher.logprobs.float()), student, batch.targets
    else:
        named = teacher.logprobs > -torch.inf  # (N, k)
        taken = torch.zeros_like(student).scatter_reduce(
            -1, teacher.ids, named.to(student.dtype), "amax"
        )  # (N, V)
        tail = student.masked_fill(taken > 0, FLOOR).logsumexp(-1, keepdim=True)
        q = torch.cat([student.gather(-1, teacher.ids).masked_fill(~named, FLOOR), tail], dim=-1)
        p = floor(torch.cat([teacher.logprobs, teacher.tail[:, None]], dim=-1).float())
        hit = (teacher.ids == batch.targets[:, None]) & named  # (N, k)
        target = torch.where(hit.any(-1), hit.int().argmax(-1), teacher.ids.shape[-1])
    p = torch.log_softmax(p / temperature, dim=-1)
    q = torch.log_softmax(q / temperature, dim=-1)
    return Buckets(p, q, target, teacher.known)


def kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p ‖ q) of finite log-probabilities (…, B) → (…): Σ exp(p) · (p − q)."""
    return (p.exp() * (p - q)).sum(-1)


def mixed(p: Tensor, q: Tensor, share: float) -> Tensor:
    """Log-probabilities of share · p + (1 − share) · q, for 0 < share < 1."""
    weights = torch.tensor([share, 1.0 - share], dtype=p.dtype, device=p.device).log()
    return torch.logaddexp(p + weights[0], q + weights[1])
