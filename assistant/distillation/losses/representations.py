"""Losses on the vectors of student and teacher, (S, D) and (S, E), one of each example.

Each gives a value for each of the S examples; a task that uses them has one row an example.
`token-gram` compares the vectors of an example's tokens.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import normalize, smooth_l1_loss

from assistant.distillation.losses.base import FLOOR, LOSSES, LossPart, floor, kl
from assistant.distillation.terms import LossInput, TokenStates
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
            remedy="use it in the embed or conversation task, with a model as the teacher",
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


@LOSSES.register("token-gram")
class TokenGram(LossPart):
    """Mean over pairs of an example's tokens (i, j) of (cos(sᵢ, sⱼ) − cos(tᵢ, tⱼ))².

    The Gram matrices of a text's token vectors, each scaled to length 1, are the inner-instance
    part of the token-level relationship graph of Zhang et al., 2023, arXiv 2306.12442, there for
    images. Its relations between the tokens of different examples are not here. Student and teacher
    cut texts into the same tokens; their vectors may be of different sizes.
    """

    uses_tokens: ClassVar[bool] = True

    def __call__(self, batch: LossInput) -> Tensor:
        if batch.tokens is None or batch.teacher_tokens is None:
            raise UsageError(
                "token-gram compares vectors of tokens, and this task or its teacher has none",
                remedy="use it in the embed or conversation task, with a model as the teacher",
            )
        mask = batch.tokens.mask
        pairs = mask[:, :, None] & mask[:, None, :]
        squares = (_gram(batch.tokens) - _gram(batch.teacher_tokens)).square() * pairs
        return squares.sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)


def _gram(tokens: TokenStates) -> Tensor:
    """(S, L, L): cosines between the tokens of each text."""
    unit = normalize(tokens.states.float(), dim=-1)
    return unit @ unit.transpose(1, 2)


@LOSSES.register("matryoshka")
class Matryoshka(LossPart):
    """The first numbers of a vector learn to compare texts as the teacher's whole vectors do.

    For each of `sizes` m: KL(p ‖ qₘ) between softmax(`scale` · cos) over the batch's other
    examples, p with the teacher's vectors, qₘ with the student's cut to their first m numbers; the
    mean over the sizes. Nested sizes are of Kusupati et al., 2022, arXiv 2205.13147, who train them
    with labels. An index may then keep the first m numbers of each vector alone, scaled to length 1
    again.
    """

    sizes: tuple[int, ...] = Field((64, 128), min_length=1)
    scale: float = Field(20.0, gt=0)

    def __call__(self, batch: LossInput) -> Tensor:
        student, teacher = vectors_of(batch)
        if max(self.sizes) > student.shape[-1] or min(self.sizes) < 1:
            raise UsageError(
                f"matryoshka: the student's vectors have {student.shape[-1]} numbers",
                remedy="name smaller sizes",
            )
        theirs = self._others(teacher)
        losses = [kl(theirs, self._others(student[:, :size])) for size in self.sizes]
        return torch.stack(losses).mean(0)

    def _others(self, vectors: Tensor) -> Tensor:
        """(S, S): log-probabilities of the other examples, by their cosine."""
        unit = normalize(vectors, dim=-1)
        own = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        cosines = (self.scale * unit @ unit.T).masked_fill(own, FLOOR)
        return floor(torch.log_softmax(cosines, dim=-1))
