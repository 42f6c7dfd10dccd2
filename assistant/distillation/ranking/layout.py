"""Queries and passages as token pairs, each text tokenised once.

A pair is `[CLS] query [SEP] passage [SEP]`; what does not fit is cut from the passage's end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from assistant.distillation.encoder_inputs import marks_of, padded

_CHUNK = 4000  # texts tokenised at a time: the tokenizer's own objects are large
MOST_QUERY = 96

Ids = NDArray[np.int32]


class TokenTable:
    """Token ids of texts, without special tokens, cut to `longest`.

    Args:
        tokenizer: a fast tokenizer with classification and separator tokens (BERT's kind).

    Raises:
        UsageError: the tokenizer is of another kind.
    """

    def __init__(self, tokenizer: Any, longest: int) -> None:
        self._tokenizer = tokenizer
        self._longest = longest
        self.cls, self.sep, self.pad = marks_of(tokenizer, "this task")
        self._ids: dict[str, Ids] = {}

    def add(self, texts: Iterable[str]) -> None:
        """Tokenise those that are new."""
        new = [text for text in dict.fromkeys(texts) if text not in self._ids]
        for at in range(0, len(new), _CHUNK):
            chunk = new[at : at + _CHUNK]
            encoded = self._tokenizer(
                chunk,
                add_special_tokens=False,
                truncation=True,
                max_length=self._longest,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )
            for text, ids in zip(chunk, encoded["input_ids"], strict=True):
                self._ids[text] = np.array(ids, np.int32)

    def __getitem__(self, text: str) -> Ids:
        return self._ids[text]

    def pair_length(self, query: str, passage: str, max_length: int) -> int:
        """Tokens of a pair, special ones included."""
        head = min(len(self[query]), MOST_QUERY) + 3
        return head + min(len(self[passage]), max_length - head)

    def pairs(self, pairs: Sequence[tuple[str, str]], max_length: int) -> dict[str, Tensor]:
        """Padded inputs of P pairs: ids, mask and segments, each (P, L); L is a multiple of 8."""
        rows: list[Ids] = []
        second: list[int] = []
        cls, sep = self._edges
        for query, passage in pairs:
            left = self[query][:MOST_QUERY]
            right = self[passage][: max_length - len(left) - 3]
            rows.append(np.concatenate([cls, left, sep, right, sep]))
            second.append(len(left) + 2)
        return padded(rows, second, self.pad)

    def singles(self, texts: Sequence[str], max_length: int) -> dict[str, Tensor]:
        """Padded inputs of B texts, `[CLS] text [SEP]`: ids, mask and segments, each (B, L)."""
        cls, sep = self._edges
        rows = [np.concatenate([cls, self[text][: max_length - 2], sep]) for text in texts]
        return padded(rows, [len(row) for row in rows], self.pad)

    @property
    def _edges(self) -> tuple[Ids, Ids]:
        return np.array([self.cls], np.int32), np.array([self.sep], np.int32)
