"""Rows of a batch of vectors: each compared with all others."""

from __future__ import annotations

import torch
from torch import Tensor

from assistant.distillation.tasks.base import Batch
from assistant.distillation.terms import LossInput, TokenStates


def pair_rows(
    vectors: Tensor, batch: Batch, scale: float, tokens: TokenStates | None = None
) -> LossInput:
    """The rows of B pairs: a row is a text, its choices all the others, its target its own pair's.

    Args:
        vectors: unit vectors (2B, D), the first of every pair before the second ones.
        batch: `same` (2B,), equal numbers where two texts are one, which is then no wrong choice;
            `weights` (2B,).
        scale: what cosines are multiplied with.
    """
    count = len(vectors) // 2
    places = torch.arange(2 * count, device=vectors.device)
    targets = (places + count) % (2 * count)
    same = batch["same"][:, None] == batch["same"][None, :]
    same[places, targets] = False
    with torch.autocast(vectors.device.type, enabled=False):  # cosines need all their digits
        logits = scale * (vectors @ vectors.T)
    return LossInput(
        logits=logits.masked_fill(same, -torch.inf),
        targets=targets,
        teacher=None,
        weights=batch["weights"],
        sequences=places,
        sampled=torch.zeros(2 * count, dtype=torch.bool, device=vectors.device),
        representations=vectors,
        tokens=tokens,
    )
