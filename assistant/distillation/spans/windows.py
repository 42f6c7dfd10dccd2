"""Questions and passages as token windows, all tokenised once and kept as flat arrays.

A window is `[CLS] question [SEP] title . passage [SEP]`; a passage that does not fit is cut into
windows that overlap, each with the whole question. Position 0 stands for "not in this window".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.distillation.encoder_inputs import marks_of, padded, tokenised
from assistant.distillation.spans.asking import Asked
from assistant.errors import UsageError

_MOST_QUESTION = 96
_MOST_TITLE = 32


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """`max_length` and `stride` (overlap of neighbours) in tokens."""

    max_length: int = 384
    stride: int = 128


DEFAULT_LAYOUT = WindowOptions()


@dataclass(frozen=True, slots=True)
class Windows:
    """W windows over T tokens in all.

    Attributes:
        ids: (T,) token ids; window w is `ids[bounds[w]:bounds[w + 1]]`.
        bounds: (W + 1,).
        first: (W,) position in its window of the first token of the passage.
        second: (W,) position where the second segment (title and passage) begins.
        starts, ends: (T,) characters of the passage; −1 for tokens that are not of the passage.
        owner: (W,) which question a window belongs to, ascending.
    """

    ids: NDArray[np.int32]
    bounds: NDArray[np.int64]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    owner: NDArray[np.int64]
    pad: int

    def __len__(self) -> int:
        return len(self.owner)

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.bounds)

    def batch(self, windows: Sequence[int] | NDArray[np.int64]) -> dict[str, Tensor]:
        """Padded inputs of B windows: (B, L) each; `choices` is True where a span may stand.

        L is a multiple of 8. Position 0 is always a choice.
        """
        lengths = self.lengths[windows]
        rows = [self.ids[self.bounds[window] : self.bounds[window + 1]] for window in windows]
        inputs = padded(rows, self.second[windows], self.pad)
        places = np.arange(inputs["input_ids"].shape[1])[None, :]
        choices = (places >= self.first[windows][:, None]) & (places < lengths[:, None] - 1)
        choices[:, 0] = True
        return {**inputs, "choices": torch.from_numpy(choices)}

    def token_span(self, window: int, start: int, end: int) -> tuple[int, int]:
        """Positions of the first and last token of characters start … end; (0, 0) if not inside."""
        first, stop = int(self.first[window]), int(self.lengths[window]) - 1
        base = int(self.bounds[window])
        starts = self.starts[base + first : base + stop]
        ends = self.ends[base + first : base + stop]
        if start < 0 or not len(starts) or start < starts[0] or end > ends[-1]:
            return 0, 0
        begin = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(starts, end, side="left")) - 1
        return (first + begin, first + last) if begin <= last else (0, 0)

    def characters(self, window: int, begin: int, last: int) -> tuple[int, int]:
        """Characters of the passage that the tokens begin … last cover."""
        base = int(self.bounds[window])
        return int(self.starts[base + begin]), int(self.ends[base + last])


def make_windows(
    tokenizer: Any, asked: Sequence[Asked], options: WindowOptions = DEFAULT_LAYOUT
) -> Windows:
    """Tokenise questions, titles and passages, each text once, and lay out the windows.

    Args:
        tokenizer: a fast tokenizer with classification and separator tokens (BERT's kind).

    Raises:
        UsageError: the tokenizer is of another kind, or the lengths leave no room for a passage.
    """
    cls, sep, pad = marks_of(tokenizer, "the span task")
    least = _MOST_QUESTION + _MOST_TITLE + 4 + options.stride
    if options.max_length <= least:
        raise UsageError(
            f"max_length {options.max_length} with stride {options.stride} leaves no room",
            remedy=f"make it larger than {least}, or the stride smaller",
        )
    questions = tokenised(tokenizer, (a.question for a in asked))
    titles = tokenised(tokenizer, (f"{a.title}." for a in asked if a.title))
    passages = tokenised(tokenizer, (a.passage for a in asked))
    ids, starts, ends, lengths, first, second, owner = [], [], [], [], [], [], []
    edge, end_mark = np.array([cls], np.int32), np.array([sep], np.int32)
    for number, one in enumerate(asked):
        question = questions[one.question].ids[:_MOST_QUESTION]
        title = titles[f"{one.title}."].ids[:_MOST_TITLE] if one.title else edge[:0]
        body = passages[one.passage]
        head = np.concatenate([edge, question, end_mark, title])
        room = options.max_length - len(head) - 1
        step = room - options.stride
        at = 0
        outside = np.full(len(head), -1, np.int32)
        while True:
            part = slice(at, at + room)
            ids += [head, body.ids[part], end_mark]
            starts += [outside, body.starts[part], outside[:1]]
            ends += [outside, body.ends[part], outside[:1]]
            lengths.append(len(head) + len(body.ids[part]) + 1)
            first.append(len(head))
            second.append(len(question) + 2)
            owner.append(number)
            if at + room >= len(body.ids):
                break
            at += step
    return Windows(
        ids=np.concatenate(ids) if ids else np.zeros(0, np.int32),
        bounds=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        first=np.array(first, np.int32),
        second=np.array(second, np.int32),
        starts=np.concatenate(starts) if starts else np.zeros(0, np.int32),
        ends=np.concatenate(ends) if ends else np.zeros(0, np.int32),
        owner=np.array(owner, np.int64),
        pad=pad,
    )
