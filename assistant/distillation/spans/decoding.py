"""From start and end logits to spans with scores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class TokenSpans:
    """The n best spans of B windows: `begin`, `last` (B, n) positions, `score` (B, n) descending.

    A score is start + end − null: above 0 the span is likelier than "not in this window". Where a
    window has fewer than n spans, the score is −inf.
    """

    begin: Tensor
    last: Tensor
    score: Tensor


def best_spans(
    start: Tensor, end: Tensor, choices: Tensor, *, n_best: int = 1, max_tokens: int = 30
) -> TokenSpans:
    """The best spans by start + end − null.

    Args:
        start, end: logits (B, L); position 0 is "null".
        choices: (B, L) bool, where a span may begin and end.
        n_best: how many spans of each window.
        max_tokens: longest span.
    """
    batch, length = start.shape
    null = (start[:, 0] + end[:, 0]).float()
    allowed = choices.clone()
    allowed[:, 0] = False
    begin = start.float().masked_fill(~allowed, -torch.inf)
    last = end.float().masked_fill(~allowed, -torch.inf)
    reach = min(max_tokens, length)
    # (B, reach, L): row d holds the spans of d + 1 tokens, by their first
    padded = torch.nn.functional.pad(last, (0, reach), value=-torch.inf)
    scores = begin[:, None, :] + padded.unfold(1, length, 1)[:, :reach, :]
    top = scores.reshape(batch, reach * length).topk(min(n_best, reach * length), dim=-1)
    first = top.indices % length
    return TokenSpans(first, first + top.indices // length, top.values - null[:, None])
