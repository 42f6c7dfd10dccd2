"""Texts to vectors with a BERT-like encoder, as sentence-transformers does it: means of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from assistant.distillation.modes import autocast, evaluating, forward_tokens
from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.terms import TokenStates
from indexes.encoders.batching import batches


def token_states(model: Any, inputs: dict[str, Tensor]) -> TokenStates:
    """The last layer for B texts, float32."""
    states = model(**inputs).last_hidden_state.float()
    return TokenStates(states, inputs["attention_mask"].bool())


def mean_of(tokens: TokenStates) -> Tensor:
    """Means over each text's tokens, scaled to length 1: (B, D)."""
    mask = tokens.mask[:, :, None].float()
    return normalize((tokens.states * mask).sum(1) / mask.sum(1), dim=-1)


def pooled(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """Means of the last layer over each text's tokens, scaled to length 1: (B, D), float32."""
    return mean_of(token_states(model, inputs))


def joined(parts: Sequence[TokenStates]) -> TokenStates:
    """Several batches of texts as one, padded to the longest."""
    longest = max(part.mask.shape[1] for part in parts)
    states = [pad(part.states, (0, 0, 0, longest - part.mask.shape[1])) for part in parts]
    masks = [pad(part.mask, (0, longest - part.mask.shape[1])) for part in parts]
    return TokenStates(torch.cat(states), torch.cat(masks))


def encode(
    model: Any, table: TokenTable, texts: Sequence[str], most: int, *, precision: str = "auto"
) -> Tensor:
    """Unit vectors (N, D), float32, on the model's device; the model's mode is kept.

    Args:
        table: tokenises what it does not know yet.
        most: tokens of a text, special ones included.
        precision: fp32, bf16, or auto: bf16 on a GPU.
    """
    device = next(model.parameters()).device
    table.add(texts)
    lengths = [min(len(table[text]), most - 2) + 2 for text in texts]
    vectors = torch.empty(len(texts), model.config.hidden_size, device=device)
    with evaluating(model), torch.inference_mode(), autocast(model, precision):
        for places in batches(lengths, forward_tokens(device)):
            inputs = table.singles([texts[place] for place in places], most)
            vectors[places] = pooled(model, {k: v.to(device) for k, v in inputs.items()})
    return vectors
