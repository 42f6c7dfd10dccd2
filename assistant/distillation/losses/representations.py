"""Losses on the vectors of student and teacher, (S, D) and (S, E), one of each example.

Each gives a value for each of the S examples; a task that uses them has one row an example.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import normalize, smooth_l1_loss

from assistant.distillation.losses.base import LOSSES, LossPart
from assistant.distillation.terms import LossInput
from assistant.errors import UsageError


def vectors_of(batch: LossInput) -> tuple[Tensor, Tensor]:
    """Student's and teacher's vectors in float32.

    Raises:
        UsageError: the task or the teacher has none.
    """
    student, teacher = batch.representations, batch.teacher_representations
    if student is None or teacher is None:
        raise UsageError(
            "this loss compares vectors, and this task or its teacher has none",
            remedy="use it in the embed task, with a model as the teacher",
        )
    return student.float(), teacher.float()


def unit_vectors_of(batch: LossInput) -> tuple[Tensor, Tensor]:
    """The same, scaled to length 1.

    Raises:
        UsageError: there are none, or they are of two sizes, so that there is no cosine.
    """
    student, teacher = vectors_of(batch)
    if student.shape != teacher.shape:
        raise UsageError(
            f"vectors of {student.shape[-1]} and {teacher.shape[-1]} numbers have no cosine",
            remedy="use rkd-distance, rkd-angle or a divergence of similarities",
        )
    return normalize(student, dim=-1), normalize(teacher, dim=-1)


@LOSSES.register("cosine")
class Cosine(LossPart):
    """1 − cos(s, t), the teacher's vector being the target; both of one size."""

    def __call__(self, batch: LossInput) -> Tensor:
        student, teacher = unit_vectors_of(batch)
        return 1 - (student * teacher).sum(-1)


@LOSSES.register("rkd-distance")
class RelationalDistance(LossPart):
    """Huber loss between the distances of all pairs, each divided by their mean over the batch.

    Relational knowledge distillation, Park et al., 2019, arXiv 1904.05068, equations 5 to 7. The
    value of an example is the mean over its S − 1 pairs.
    """

    def __call__(self, batch: LossInput) -> Tensor:
        student, teacher = vectors_of(batch)
        count = len(student)
        if count < 2:
            return student.sum() * torch.zeros(count, device=student.device)
        ours, theirs = _distances(student), _distances(teacher)
        return smooth_l1_loss(ours, theirs, reduction="none").sum(-1) / (count - 1)


def _distances(vectors: Tensor) -> Tensor:
    """Euclidean distances (S, S) over their mean; the diagonal is 0."""
    squares = vectors.square().sum(-1)
    square = squares[:, None] + squares[None, :] - 2 * vectors @ vectors.T
    distances = square.clamp(min=1e-12).sqrt()  # the root has no gradient at 0
    distances = distances * ~torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    count = len(vectors)
    return distances / (distances.sum() / (count * (count - 1))).clamp(min=1e-9)


@LOSSES.register("rkd-angle")
class RelationalAngle(LossPart):
    """Huber loss between the cosines of the angles that triples make.

    ψ(i, j, k) = ⟨eᵢⱼ, eₖⱼ⟩ with e the unit vector of the difference (arXiv 1904.05068, equations 8
    and 9), over the triples inside groups of `group` examples: all S³ of a large batch would not
    fit. The value of an example j is the mean over the pairs seen from it; examples beyond the last
    whole group count 0.
    """

    group: int = Field(32, ge=3)

    def __call__(self, batch: LossInput) -> Tensor:
        student, teacher = vectors_of(batch)
        size = min(self.group, len(student))
        whole = len(student) // size * size
        # a group has examples from all parts of the batch: neighbours are often of one kind
        order = torch.arange(whole, device=student.device).reshape(size, -1).T.flatten()
        loss = smooth_l1_loss(
            _angles(student[order], size), _angles(teacher[order], size), reduction="none"
        )  # (G, size, size, size)
        values = student.new_zeros(len(student))
        return values.index_copy(0, order, loss.mean((-2, -1)).flatten())


def _angles(vectors: Tensor, size: int) -> Tensor:
    """(G, j, i, k): cosines of the angle at j between i and k, in groups of `size`."""
    groups = vectors.reshape(-1, size, vectors.shape[-1])
    edges = groups[:, None, :, :] - groups[:, :, None, :]  # (G, j, i, D): from j to i
    edges = edges / edges.square().sum(-1, keepdim=True).clamp(min=1e-12).sqrt()
    return edges @ edges.transpose(-1, -2)
