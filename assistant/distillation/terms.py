"""What a loss is given: rows of logits, whatever the model is.

Every task comes down to N rows, each a distribution over V choices. For a causal model a row is a
supervised position over the vocabulary; for a span model the start row and the end row of a
question over the tokens of its input. A cross-encoder's row is a query over its candidates. So one
library of losses serves them all.

Only supervised rows are ever computed: with 49,152 words the output layer of a small causal model
costs as much as all its other layers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class TeacherRows:
    """The teacher's distribution in N rows: its k likeliest choices, and the rest as one mass.

    `ids` (N, k) int64; `logprobs` (N, k) float, natural logarithms at temperature 1; `tail` (N,)
    is log of the mass outside the k. A choice of −inf counts as not named: what the student gives
    it belongs to the tail. `whole` says that `ids` is 0 … V−1 in order, so that there is no tail.
    Where the teacher has nothing to put beside a row of the student, all of the row is −inf, and
    the row counts 0 in every loss that compares distributions.
    """

    ids: Tensor
    logprobs: Tensor
    tail: Tensor
    whole: bool = False

    @property
    def known(self) -> Tensor:
        """(N,) bool: whether the teacher has something to say of a row."""
        return (self.logprobs > -torch.inf).any(-1)

    @classmethod
    def from_logits(cls, logits: Tensor, k: int | None = None) -> TeacherRows:
        """From logits (N, V); `k` None keeps every choice."""
        none = (logits == -torch.inf).all(-1, keepdim=True)
        logprobs = torch.log_softmax(logits.float(), dim=-1).masked_fill(none, -torch.inf)
        if k is None or k >= logits.shape[-1]:
            ids = torch.arange(logits.shape[-1], device=logits.device).expand(logits.shape)
            return cls(ids, logprobs, torch.full_like(logprobs[:, 0], -torch.inf), whole=True)
        top, ids = logprobs.topk(k, dim=-1)
        tail = logprobs.scatter(-1, ids, -torch.inf).logsumexp(-1)
        return cls(ids, top, tail)


@dataclass(frozen=True, slots=True)
class TokenStates:
    """A last layer for S texts: `states` (S, L, D); `mask` (S, L) bool, False at padding."""

    states: Tensor
    mask: Tensor

    def detach(self) -> TokenStates:
        """The same without gradients."""
        return TokenStates(self.states.detach(), self.mask)


@dataclass(frozen=True, slots=True)
class LossInput:
    """The supervised rows of one batch.

    Attributes:
        logits: the student's, (N, V); −inf where a choice is not allowed.
        targets: (N,) the right choice of each row: gold, or sampled by the student.
        teacher: for the same rows; None where the recipe has no teacher's distributions.
        weights: (N,) how much each row counts.
        sequences: (N,) which example of the batch a row belongs to, 0 … S−1, ascending.
        sampled: (N,) bool, True where the student wrote the target itself (on-policy).
        progress: share of the training that is done, in [0, 1].
        representations: the student's vectors, (S, …), for losses that compare those.
        teacher_representations: the teacher's, for the same examples.
        tokens: the student's vectors of every token, where a loss of the recipe uses them.
        teacher_tokens: the teacher's, for the same tokens.
    """

    logits: Tensor
    targets: Tensor
    teacher: TeacherRows | None
    weights: Tensor
    sequences: Tensor
    sampled: Tensor
    progress: float = 0.0
    representations: Tensor | None = None
    teacher_representations: Tensor | None = None
    tokens: TokenStates | None = None
    teacher_tokens: TokenStates | None = None

    def detach(self) -> LossInput:
        """The same, the model's logits and vectors without gradients."""
        vectors, tokens = self.representations, self.tokens
        return replace(
            self,
            logits=self.logits.detach(),
            representations=None if vectors is None else vectors.detach(),
            tokens=None if tokens is None else tokens.detach(),
        )


class Loss(Protocol):
    """A term of the objective; its parameters come from the recipe."""

    @property
    def needs_teacher(self) -> bool:
        """Whether it cannot do without the teacher's distributions."""
        ...

    def __call__(self, batch: LossInput) -> Tensor:
        """The loss of each row, (N,), whose weighted mean is minimised."""
        ...
