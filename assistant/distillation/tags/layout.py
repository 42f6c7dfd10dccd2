"""Conversations as token sequences: the message first, then what was said, newest first.

For term tagging, and for the vectors of messages in their conversations.

`[CLS] message [SEP] assistant : … user : … assistant : … [SEP]`. Newest first, so that what does
not fit is what was said longest ago. Of a long message of the person beginning and end are kept, of
an answer its beginning, which says what it is about; of the last answer more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from assistant.distillation.encoder_inputs import Tokens, marks_of, padded, tokenised
from assistant.distillation.tags.words import Word, stem_places, stems_of
from assistant.understanding.types import Message

MOST_MESSAGE = 96  # tokens
_MOST_SAID = 64  # of an earlier message of the person
_MOST_ANSWER = 48  # of an earlier answer
_MOST_LAST = 160  # of the last answer
_ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Laid:
    """One conversation: its token ids (T,), where the history begins, and its W candidates.

    `places` (W,) is the position of each candidate's first token.
    """

    ids: NDArray[np.int32]
    second: int
    places: NDArray[np.int32]
    words: tuple[Word, ...]


class Layout:
    """Lays out conversations for one tokenizer.

    Args:
        tokenizer: a fast tokenizer with classification and separator tokens (BERT's kind).
        max_length: tokens of a sequence.
        words: whether candidates are looked for; vectors of conversations have no use for them.

    Raises:
        UsageError: the tokenizer is of another kind.
    """

    def __init__(self, tokenizer: Any, max_length: int, *, words: bool = True) -> None:
        self._words = words
        self._tokenizer = tokenizer
        self._max_length = max_length
        cls, sep, self._pad = marks_of(tokenizer, "reading a conversation")
        self._cls, self._sep = np.array([cls], np.int32), np.array([sep], np.int32)
        named = tokenised(tokenizer, [f"{role}:" for role in _ROLES])
        self._names = {role: named[f"{role}:"].ids for role in _ROLES}

    def sequences(self, conversations: Sequence[tuple[str, Sequence[Message]]]) -> list[Laid]:
        """The sequences of some messages, each with its history, oldest first."""
        texts = [message for message, _ in conversations]
        texts += [one.content for _, history in conversations for one in history]
        tokens = tokenised(self._tokenizer, texts)
        return [self._sequence(message, history, tokens) for message, history in conversations]

    def _sequence(
        self, message: str, history: Sequence[Message], tokens: dict[str, Tokens]
    ) -> Laid:
        asked = tokens[message].ids[:MOST_MESSAGE]
        present = stems_of([message]) if self._words else set()
        parts = [self._cls, asked, self._sep]
        at = second = len(asked) + 2
        words: list[Word] = []
        places: list[int] = []
        last_answer = True
        for number in range(len(history) - 1, -1, -1):
            one = history[number]
            name = self._names[one.role]
            room = self._max_length - at - len(name) - 1
            if room < 1:
                break
            body = tokens[one.content]
            kept = _kept(len(body.ids), one.role == "user", last_answer)[:room]
            last_answer = last_answer and one.role == "user"
            parts += [name, body.ids[kept]]
            at += len(name)
            position = {int(token): at + place for place, token in enumerate(kept)}
            for start, end, stem in stem_places(one.content) if self._words else ():
                first = int(np.searchsorted(body.ends, start, side="right"))
                if stem not in present and first in position:
                    words.append(Word(number, start, end, stem))
                    places.append(position[first])
            at += len(kept)
        parts.append(self._sep)
        return Laid(np.concatenate(parts), second, np.array(places, np.int32), tuple(words))

    def batch(self, sequences: Sequence[Laid]) -> dict[str, Tensor]:
        """Padded inputs of B sequences, (B, L) each; L is a multiple of 8."""
        return padded([one.ids for one in sequences], [one.second for one in sequences], self._pad)


def _kept(count: int, own: bool, last_answer: bool) -> NDArray[np.int64]:
    """Which tokens of a message of `count` tokens are kept."""
    if own:
        half = _MOST_SAID // 2
        if count <= _MOST_SAID:
            return np.arange(count)
        return np.concatenate([np.arange(half), np.arange(count - half, count)])
    return np.arange(min(count, _MOST_LAST if last_answer else _MOST_ANSWER))
