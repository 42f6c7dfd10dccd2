"""A causal teacher that cuts texts into other tokens than the student does.

It reads the same prompts and completions in its own tokens. Of each completion the first tokens of
both are put beside one another, as many as the shorter one has: so does the universal logit
distillation of Boizard et al., 2024, arXiv 2402.12030, section 3. Nothing says that two such tokens
mean the same, so only losses that do not ask what a choice means can learn from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from assistant.distillation.examples import Example
from assistant.distillation.packing import (
    Pack,
    TokenSequence,
    collate_packs,
    make_pack,
    tokenise,
)


class ForeignModel(torch.nn.Module):
    """A causal model together with its own tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer

    def batch(
        self, packs: Sequence[Pack], examples: Mapping[str, Example], own: Any, *, end: bool
    ) -> dict[str, Any]:
        """The texts of the student's packs in this model's tokens.

        Args:
            examples: by the key of their sequences.
            own: the student's tokenizer, with which completions that it wrote itself are read.
            end: completions end the text.
        """

        def text(one: TokenSequence) -> Example:
            if not one.sampled:
                return examples[one.key]
            written = own.decode(one.completion, skip_special_tokens=True)
            return replace(examples[one.key], completion=written)

        read = []
        for one in packs:
            texts = [text(sequence) for sequence in one.sequences]
            read.append(make_pack([s for _, s in tokenise(self.tokenizer, texts, end=end)]))
        pad = int(self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0)
        return collate_packs(read, pad)


def beside(theirs: Tensor, their_sequences: Tensor, sequences: Tensor) -> Tensor:
    """The teacher's rows (M, W) at the places of the student's N rows: (N, W).

    Both `sequences` say which completion a row belongs to, ascending, rows in order. The t-th row
    of a completion stands beside the t-th; where the teacher's has fewer, rows are −∞.
    """
    places, _ = _places(sequences)
    _, counts = _places(their_sequences, int(sequences.max()) + 1)
    starts = counts.cumsum(0) - counts
    known = places < counts[sequences]
    found = theirs[(starts[sequences] + places).clamp(max=len(theirs) - 1)]
    return found.masked_fill(~known[:, None], -torch.inf)


def _places(sequences: Tensor, least: int = 0) -> tuple[Tensor, Tensor]:
    """Each row's place in its sequence, (N,), and how many rows each sequence has."""
    counts = torch.bincount(sequences, minlength=least)
    starts = counts.cumsum(0) - counts
    return torch.arange(len(sequences), device=sequences.device) - starts[sequences], counts
