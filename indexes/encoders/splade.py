"""SPLADE weights of a masked language model without its table of logits.

SPLADE (Formal et al., 2021; max pooling as in SPLADE v2, arXiv 2109.10086): the weight of
vocabulary term j in a text is  max over positions i of log(1 + relu(logit_ij)).

log(1 + relu(x)) rises with x, so it is taken after the maximum, once per term instead of once per
term and position; so is the decoder's bias. The decoder runs over slices of the vocabulary whose
logits stay in the processor's cache. On processors with bfloat16 instructions it runs in bfloat16
first, which is more than twice as fast: with the error bound below no term whose weight is above 0
is missed, and the weights of the few that remain are computed in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from indexes.encoders.cpu_layers import multiplies_bfloat16

# Vocabulary terms per slice.
_TILE = 2048
# Rounding to bfloat16 changes a number by at most 2^-8 of it. For a product of two rounded
# vectors that is, by Cauchy-Schwarz, at most (2^-7 + 2^-16) |h| |w|; the sum itself is made in
# float32, and rounded to bfloat16 at the end.
_OPERANDS = 2.0**-7 * 1.02
_RESULT = 2.0**-8 * 1.02

IntArray = npt.NDArray[np.int64]


class SpladeModel:
    """A masked language model whose decoder was taken out.

    Args:
        model: of transformers, with an output embedding layer; it is changed.
        screen: bfloat16 first; None decides by the processor.

    Raises:
        ValueError: the model has no decoder that could be taken out.
    """

    def __init__(self, model: Any, pad: int, *, screen: bool | None = None) -> None:
        decoder = model.get_output_embeddings()
        if not isinstance(decoder, nn.Linear) or decoder.weight.dtype != torch.float32:
            raise ValueError("no linear float32 decoder")
        self._pad = pad
        self._device = decoder.weight.device
        self._weight = decoder.weight.detach()  # (V, D)
        bias = decoder.bias
        self._bias = (
            bias.detach() if bias is not None else self._weight.new_zeros(len(self._weight))
        )
        self._screen = multiplies_bfloat16(self._device) if screen is None else screen
        if self._screen:
            self._rough = self._weight.bfloat16()
            self._norms = self._weight.norm(dim=1)
        _replace(model, decoder, nn.Identity())
        self._body = model

    @property
    def dimensions(self) -> int:
        """Terms in the vocabulary."""
        return len(self._weight)

    def weights(
        self, batch: Sequence[Sequence[int]]
    ) -> tuple[IntArray, IntArray, npt.NDArray[np.float32]]:
        """SPLADE weights above 0 of texts given as token ids.

        Returns:
            position in the batch, column and weight of each, ordered by position and column.
        """
        longest = max(len(ids) for ids in batch)
        tokens = np.full((len(batch), longest), self._pad, dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int64)
        for row, ids in enumerate(batch):
            tokens[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        with torch.inference_mode():
            kept = torch.from_numpy(mask).to(self._device)
            hidden = self._body(
                input_ids=torch.from_numpy(tokens).to(self._device), attention_mask=kept
            ).logits  # (B, T, D): the decoder is gone
            # Padding repeats the first position, so it changes no maximum.
            hidden = torch.where(kept[..., None].bool(), hidden, hidden[:, :1])
            found = self._screened(hidden) if self._screen else self._all(hidden)
        rows, columns, peaks = (array.cpu().numpy() for array in found)
        return rows, columns, np.log1p(peaks)

    def _all(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        peaks = _peaks(hidden, self._weight) + self._bias  # (B, V)
        rows, columns = torch.nonzero(peaks > 0, as_tuple=True)
        return rows, columns, peaks[rows, columns]

    def _screened(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rough = _peaks(hidden.bfloat16(), self._rough).float()  # (B, V)
        longest = hidden.norm(dim=2).amax(1, keepdim=True)  # (B, 1)
        reach = rough + _RESULT * rough.abs() + _OPERANDS * longest * self._norms + self._bias
        found = []
        for row, possible in enumerate(reach > 0):
            columns = torch.nonzero(possible).squeeze(1)
            exact = (hidden[row] @ self._weight[columns].T).amax(0) + self._bias[columns]
            above = exact > 0
            columns = columns[above]
            found.append((torch.full_like(columns, row), columns, exact[above]))
        rows, kept, peaks = (torch.cat(parts) for parts in zip(*found, strict=True))
        return rows, kept, peaks


def _peaks(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """max over i of hidden[b, i] · weight[j]: (B, T, D) and (V, D) to (B, V)."""
    batch, length, width = hidden.shape
    flat = hidden.reshape(batch * length, width)
    tiles = (weight[begin : begin + _TILE] for begin in range(0, len(weight), _TILE))
    return torch.cat([(flat @ tile.T).view(batch, length, -1).amax(1) for tile in tiles], dim=1)


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for module in model.modules():
        for name, child in module.named_children():
            if child is old:
                setattr(module, name, new)
                return
    raise ValueError("the decoder is no part of the model")
