"""A causal model that reads trained vectors before every text."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class Prompted(nn.Module):
    """A causal model whose texts begin with `length` vectors that belong to no token.

    Prompt tuning, Lester et al., 2021, arXiv 2104.08691. What comes after sees all of them, in each
    branch of a pack, and begins at position `length`; they see one another as a text does. They
    begin as the vectors of evenly spaced entries of the vocabulary.

    It gives what the causal task asks of a model: `get_decoder`, `get_output_embeddings`, `config`.
    """

    def __init__(self, model: Any, length: int) -> None:
        super().__init__()
        self.model = model
        self.config = model.config
        words = model.get_input_embeddings().weight.detach()
        rows = torch.linspace(0, len(words) - 1, length).long()
        self.prompt = nn.Parameter(words[rows.to(words.device)].clone().float())

    def get_output_embeddings(self) -> Any:
        return self.model.get_output_embeddings()

    def get_decoder(self) -> Any:
        return self._read

    def _read(
        self, *, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor, use_cache: bool
    ) -> Any:
        """As the decoder; the places of the prompt are taken off what it gives.

        Args:
            attention_mask: (B, 1, L, L), True or 0 where something is seen.
        """
        texts = self.model.get_input_embeddings()(input_ids)
        count = len(self.prompt)
        prompt = self.prompt.to(texts.dtype).expand(len(texts), -1, -1)
        plain = attention_mask.dtype == torch.bool
        seen, unseen = (True, False) if plain else (0.0, torch.finfo(attention_mask.dtype).min)
        mask = pad(attention_mask, (count, 0), value=seen)  # texts see the prompt
        mask = pad(mask, (0, 0, count, 0), value=unseen)
        earlier = torch.ones(count, count, dtype=torch.bool, device=mask.device).tril()
        mask[:, :, :count, :count] = torch.where(earlier, seen, unseen)
        own = torch.arange(count, device=position_ids.device).expand(len(texts), -1)
        out = self.model.get_decoder()(
            inputs_embeds=torch.cat([prompt, texts], dim=1),
            attention_mask=mask,
            position_ids=torch.cat([own, position_ids + count], dim=1),
            use_cache=use_cache,
        )
        out.last_hidden_state = out.last_hidden_state[:, count:]
        return out
