"""Prompts with completions as token packs: a prefix that several share is read once.

A pack is `shared branch₁ branch₂ …`. Positions of every branch go on from the shared part, and a
branch sees the shared part and itself, so its logits are those of `shared branch` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assistant.distillation.examples import Example

Ids = tuple[int, ...]

PADDING = -1
SHARED = 0


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """A prompt and its completion as tokens; `key` names the example."""

    key: str
    prompt: Ids
    completion: Ids
    weight: float = 1.0
    difficulty: float = 0.0
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """Sequences whose prompts begin with the same `shared` tokens."""

    shared: int
    sequences: tuple[TokenSequence, ...]

    @property
    def length(self) -> int:
        own = sum(len(s.prompt) - self.shared + len(s.completion) for s in self.sequences)
        return self.shared + own


def tokenise(
    tokenizer: Any, examples: Sequence[Example], *, end: bool
) -> list[tuple[str, TokenSequence]]:
    """Prefix and tokens of each example.

    Prompt and completion are tokenised apart, as they are when the model is asked. `end` adds the
    end of text to the completion.
    """
    if not examples:
        return []
    prompts = tokenizer([e.prefix + e.prompt for e in examples], verbose=False)["input_ids"]
    written = tokenizer([e.completion for e in examples], add_special_tokens=False)["input_ids"]
    close = (int(tokenizer.eos_token_id),) if end and tokenizer.eos_token_id is not None else ()
    return [
        (
            e.prefix,
            TokenSequence(e.id, tuple(prompt), (*completion, *close), e.weight, e.difficulty),
        )
        for e, prompt, completion in zip(examples, prompts, written, strict=True)
    ]


def pack(sequences: Sequence[tuple[str, TokenSequence]], most: int) -> tuple[list[Pack], int]:
    """Packs of at most `most` tokens, and how many sequences are longer than that alone.

    Sequences with the same prefix are packed wherever they stand; others are packs of one.
    """
    groups: dict[str, list[TokenSequence]] = {}
    for number, (prefix, sequence) in enumerate(sequences):
        groups.setdefault(prefix or f"\0{number}", []).append(sequence)
    packs: list[Pack] = []
    left_out = 0
    for group in groups.values():
        fitting = [s for s in group if len(s.prompt) + len(s.completion) <= most]
        left_out += len(group) - len(fitting)
        current: list[TokenSequence] = []
        for sequence in fitting:
            if current and make_pack([*current, sequence]).length > most:
                packs.append(make_pack(current))
                current = []
            current.append(sequence)
        if current:
            packs.append(make_pack(current))
    return packs, left_out


def make_pack(sequences: Sequence[TokenSequence]) -> Pack:
    """One pack; a branch keeps at least the last token of its prompt, which predicts."""
    shared = min(len(s.prompt) for s in sequences) - 1
    first = sequences[0].prompt
    for other in sequences[1:]:
        equal = 0
        while equal < shared and first[equal] == other.prompt[equal]:
            equal += 1
        shared = equal
    return Pack(shared if len(sequences) > 1 else 0, tuple(sequences))


def collate_packs(packs: Sequence[Pack], pad: int) -> dict[str, Any]:
    """Padded inputs of B packs.

    `input_ids`, `position_ids`, `branch` (B, L), L a multiple of 8; `rows` (N,) are places in the
    flattened (B · L) that predict `targets` (N,).
    """
    width = -(-max(p.length for p in packs) // 8) * 8
    ids = np.full((len(packs), width), pad, np.int64)
    positions = np.zeros((len(packs), width), np.int64)
    branch = np.full((len(packs), width), PADDING, np.int64)
    rows: list[Any] = []
    targets: list[int] = []
    weights: list[float] = []
    lengths: list[int] = []
    sampled: list[bool] = []
    for row, one in enumerate(packs):
        shared = one.shared
        ids[row, :shared] = one.sequences[0].prompt[:shared]
        positions[row, :shared] = np.arange(shared)
        branch[row, :shared] = SHARED
        at = shared
        for number, sequence in enumerate(one.sequences, start=1):
            own = sequence.prompt[shared:] + sequence.completion
            end = at + len(own)
            ids[row, at:end] = own
            positions[row, at:end] = np.arange(shared, shared + len(own))
            branch[row, at:end] = number
            count = len(sequence.completion)
            rows.append(np.arange(row * width + end - count - 1, row * width + end - 1))
            targets += sequence.completion
            weights += [sequence.weight] * count
            sampled += [sequence.sampled] * count
            lengths.append(count)
            at = end
    return {
        "input_ids": torch.from_numpy(ids),
        "position_ids": torch.from_numpy(positions),
        "branch": torch.from_numpy(branch),
        "rows": torch.from_numpy(np.concatenate(rows)),
        "targets": torch.tensor(targets),
        "weights": torch.tensor(weights),
        "sampled": torch.tensor(sampled),
        "sequences": torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths)),
        "keys": [sequence.key for one in packs for sequence in one.sequences],
        "tokens": sum(p.length for p in packs),
    }


def attention(branch: Tensor) -> Tensor:
    """Who sees whom, (B, 1, L, L) bool: earlier tokens of the shared part and of the own branch.

    Padding sees itself, for a row that sees nothing is NaN.
    """
    length = branch.shape[1]
    earlier = torch.ones(length, length, dtype=torch.bool, device=branch.device).tril()
    same = branch[:, :, None] == branch[:, None, :]
    seen = earlier & (same | (branch == SHARED)[:, None, :]) & (branch != PADDING)[:, None, :]
    return (seen | torch.eye(length, dtype=torch.bool, device=branch.device))[:, None]
