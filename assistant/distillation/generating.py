"""Completions sampled from a causal model by a seed, with a share of the teacher's on request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def generate(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    pad: int,
    end: int | None,
    most: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
    teacher: Any = None,
    teacher_mix: float = 0.0,
) -> list[list[int]]:
    """The tokens that a model writes after each prompt, the end of text included.

    Args:
        end: the token that ends a text.
        most: longest completion in tokens.
        temperature: of the sampling; without a generator the likeliest token is taken.
        teacher, teacher_mix: each token is drawn from the mixture of the teacher's distribution
            with that share (MiniLLM, arXiv 2306.08543, section 2.2).
    """
    device = next(model.parameters()).device
    width = max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    seen = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(list(prompt))
        seen[row, width - len(prompt) :] = 1
    ids, seen = ids.to(device), seen.to(device)
    models = [model] if teacher is None or not teacher_mix else [model, teacher]
    caches: list[Any] = [None] * len(models)
    written: list[Tensor] = []
    going = torch.ones(len(prompts), dtype=torch.bool, device=device)
    feed, positions = ids, (seen.cumsum(-1) - 1).clamp(min=0)
    for _ in range(most):
        parts = []
        for place, one in enumerate(models):
            out = one(
                input_ids=feed,
                attention_mask=seen,
                position_ids=positions,
                past_key_values=caches[place],
                use_cache=True,
                logits_to_keep=1,
            )
            caches[place] = out.past_key_values
            parts.append(torch.softmax(out.logits[:, -1].float() / temperature, dim=-1))
        odds = parts[0]
        if len(parts) > 1:
            odds = (1 - teacher_mix) * parts[0] + teacher_mix * parts[1]
        if generator is None:
            token = odds.argmax(-1)
        else:
            token = torch.multinomial(odds, 1, generator=generator)[:, 0]
        token = torch.where(going, token, torch.full_like(token, pad))
        written.append(torch.where(going, token, torch.full_like(token, -1)))
        if end is not None:
            going = going & (token != end)
        if not bool(going.any()):
            break
        feed = token[:, None]
        positions = positions[:, -1:] + 1
        seen = torch.cat([seen, torch.ones_like(feed)], dim=-1)
    return [[token for token in row if token >= 0] for row in torch.stack(written, 1).tolist()]
