"""What a BERT-like encoder reads: tokens and the characters they stand for, marks, padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.errors import UsageError

_CHUNK = 2000  # texts tokenised at a time: the tokenizer's own objects are large


class Marks(NamedTuple):
    """Ids of the tokens that stand for no text."""

    cls: int
    sep: int
    pad: int


def marks_of(tokenizer: Any, task: str) -> Marks:
    """The marks of BERT's kind of tokenizer.

    Args:
        task: what needs them, for the message.

    Raises:
        UsageError: the tokenizer is of another kind, or not a fast one.
    """
    marks: list[Any] = [
        getattr(tokenizer, f"{kind}_token_id", None) for kind in ("cls", "sep", "pad")
    ]
    if None in marks or not tokenizer.is_fast:
        raise UsageError(
            f"{task} needs a BERT-like encoder with a fast tokenizer",
            remedy="take an encoder such as minilm",
        )
    return Marks(*(int(mark) for mark in marks))


def padded(
    rows: Sequence[NDArray[np.int32]], second: Sequence[int] | NDArray[np.int32], pad: int
) -> dict[str, Tensor]:
    """Inputs of B sequences: ids, mask and segments, each (B, L); L is a multiple of 8.

    Args:
        rows: the token ids of each.
        second: where the second segment of each begins; its length where there is none.
    """
    lengths = np.array([len(row) for row in rows], np.int64)
    width = -(-int(lengths.max()) // 8) * 8
    ids = np.full((len(rows), width), pad, np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
    places = np.arange(width)[None, :]
    inside = places < lengths[:, None]
    behind = inside & (places >= np.asarray(second)[:, None])
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(inside.astype(np.int64)),
        "token_type_ids": torch.from_numpy(behind.astype(np.int64)),
    }


class Tokens(NamedTuple):
    """Ids of T tokens, and where each begins and ends in its text, all (T,)."""

    ids: NDArray[np.int32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]


def tokenised(tokenizer: Any, texts: Iterable[str]) -> dict[str, Tokens]:
    """The tokens of each text, whole and without special ones; equal texts are done once.

    Args:
        tokenizer: a fast one.
    """
    unique = list(dict.fromkeys(texts))
    done: dict[str, Tokens] = {}
    for at in range(0, len(unique), _CHUNK):
        chunk = unique[at : at + _CHUNK]
        encoded = tokenizer(
            chunk,
            add_special_tokens=False,
            truncation=False,
            padding=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        for text, ids, offsets in zip(
            chunk, encoded["input_ids"], encoded["offset_mapping"], strict=True
        ):
            places = np.array(offsets, np.int32).reshape(-1, 2)
            done[text] = Tokens(np.array(ids, np.int32), places[:, 0], places[:, 1])
    return done
