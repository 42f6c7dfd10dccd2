"""The cross-encoder: BERT with a score after some of its layers and after the last.

A score after an early layer lets a reranker leave most of the candidates there (early exit, as
DeeBERT: Xin et al., 2020, arXiv 2004.12993), and training all of them together makes the early
ones good (deep supervision).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, BertPreTrainedModel


class ScoreHead(nn.Module):
    """h ↦ w · tanh(W h), from the vector of the classification token, (P, H) → (P,)."""

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(size, size)
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(size, 1)

    def forward(self, vectors: Tensor) -> Tensor:
        scores: Tensor = self.score(self.dropout(torch.tanh(self.dense(vectors))))
        return scores[:, 0]


class CrossEncoder(BertPreTrainedModel):
    """Scores of pairs. `config.exits` says after how many layers there is a score, ascending.

    The last entry is the number of layers. Without the entry there is one score, at the end.
    """

    config_class = BertConfig
    base_model_prefix = "bert"

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        config.exits = list(getattr(config, "exits", None) or [config.num_hidden_layers])
        self.bert = BertModel(config, add_pooling_layer=False)
        self.heads = nn.ModuleList(
            ScoreHead(config.hidden_size, config.hidden_dropout_prob) for _ in config.exits
        )
        self.post_init()

    @classmethod
    def from_config(cls, config: Any) -> CrossEncoder:
        """Fresh weights, as the auto classes of transformers make them."""
        return cls(config)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """The scores of P pairs after each exit, (E, P)."""
        states = self.bert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            output_hidden_states=True,
        ).hidden_states
        return torch.stack(
            [
                head(states[layers][:, 0])
                for head, layers in zip(self.heads, self.config.exits, strict=True)
            ]
        )

    def begin(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Embeddings of P pairs, (P, L, H): what the first layer is given."""
        embedded: Tensor = self.bert.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
        return embedded

    def through(self, states: Tensor, attention_mask: Tensor, start: int, stop: int) -> Tensor:
        """States (P, L, H) after the layers start … stop − 1; the mask is (P, L) of 0 and 1."""
        lowest = torch.finfo(states.dtype).min
        added = (1.0 - attention_mask[:, None, None, :].to(states.dtype)) * lowest
        for layer in self.bert.encoder.layer[start:stop]:
            out = layer(states, added)
            states = out[0] if isinstance(out, tuple) else out
        return states

    def score(self, states: Tensor, exit_number: int) -> Tensor:
        """The scores (P,) of an exit, from the states after its layer."""
        scores: Tensor = self.heads[exit_number](states[:, 0])
        return scores
