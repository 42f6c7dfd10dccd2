"""Learned sparse encoder: SPLADE from a local masked-language-model folder.

SPLADE (Formal et al., 2021; max pooling as in SPLADE v2, arXiv 2109.10086): the weight of
vocabulary term j in a text is  max over positions i of log(1 + relu(logit_ij)).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from indexes.dense_encoder import weights_fingerprint
from indexes.errors import ModelCorruptError

# One forward pass makes logits of shape (batch, tokens, vocabulary). This many tokens at a time
# keep that tensor near 120 MB with BERT's 30,522 terms.
_TOKENS_PER_BATCH = 1024


class SpladeEncoder:
    """Texts to weights over the model's vocabulary.

    Raises:
        ModelMissingError, ModelCorruptError: the folder has no usable weights.
    """

    def __init__(self, folder: Path, *, max_length: int = 256, device: str | None = None) -> None:
        import torch
        from transformers import AutoModelForMaskedLM, AutoTokenizer

        self.fingerprint = weights_fingerprint(folder, "splade-max", max_length)
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model: Any = AutoModelForMaskedLM.from_pretrained(str(folder), local_files_only=True)
        except Exception as error:  # the library raises many kinds for broken files
            raise ModelCorruptError(
                f"the sparse encoder in {folder} cannot be loaded: {error}",
                remedy="run `assistant models verify`, then `assistant models fetch sparse`",
            ) from error
        self._model = model.to(self._device).eval()
        self._max_length = max_length
        self._lock = threading.Lock()
        self.dimensions = int(model.config.vocab_size)

    def term(self, column: int) -> str:
        """The vocabulary entry of a column."""
        return str(self._tokenizer.convert_ids_to_tokens(int(column)))

    def encode(self, texts: Sequence[str]) -> sp.csr_matrix:
        """A matrix of shape (len(texts), dimensions), float32, weights > 0."""
        if not texts:
            return sp.csr_matrix((0, self.dimensions), dtype=np.float32)
        with self._lock:  # a fast tokenizer cannot be used by two threads at once
            ids: list[list[int]] = self._tokenizer(
                list(texts), truncation=True, max_length=self._max_length
            )["input_ids"]
        order = sorted(range(len(ids)), key=lambda position: len(ids[position]))
        rows: list[sp.csr_matrix | None] = [None] * len(ids)
        for batch in _batches(order, ids):
            for position, row in zip(batch, self._weights([ids[p] for p in batch]), strict=True):
                rows[position] = row
        return sp.csr_matrix(sp.vstack(rows, format="csr"))

    def _weights(self, batch: list[list[int]]) -> list[sp.csr_matrix]:
        import torch

        longest = max(len(ids) for ids in batch)
        pad = int(self._tokenizer.pad_token_id or 0)
        tokens = torch.tensor([ids + [pad] * (longest - len(ids)) for ids in batch])
        mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in batch])
        with torch.inference_mode():
            logits = self._model(
                input_ids=tokens.to(self._device), attention_mask=mask.to(self._device)
            ).logits  # (B, T, V)
            # log(1 + relu(x)) rises with x, so it can be taken after the maximum: once per term
            # instead of once per term and position, with the same result. The maximum is taken
            # per text over its own positions, which also leaves the padding out.
            peaks = torch.stack(
                [logits[i, : len(ids)].max(dim=0).values for i, ids in enumerate(batch)]
            )  # (B, V)
            weights = torch.log1p(torch.relu(peaks)).float().cpu().numpy()
        return [sp.csr_matrix(row[None, :]) for row in weights]


def _batches(order: Sequence[int], ids: Sequence[Sequence[int]]) -> list[list[int]]:
    """Cut texts sorted by length into batches of bounded size (texts × longest)."""
    batches: list[list[int]] = []
    current: list[int] = []
    for position in order:
        if current and (len(current) + 1) * len(ids[position]) > _TOKENS_PER_BATCH:
            batches.append(current)
            current = []
        current.append(position)
    return [*batches, current]
