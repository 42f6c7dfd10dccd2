"""Tokens to text while they come: never half a letter, never what a stop text takes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_HALF = "\ufffd"  # what a tokenizer gives for bytes that are no letter yet


class TextUntil:
    """The text of a growing list of tokens, up to the first stop text.

    Args:
        tokenizer: of transformers.
        stops: texts that end the answer; they are not part of it.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str] = ()) -> None:
        self._tokenizer, self._stops = tokenizer, [stop for stop in stops if stop]
        self._tokens: list[int] = []
        self._given = 0  # characters
        self.stopped = False

    def add(self, token: int) -> str:
        """The text that has become sure with this token; may be empty."""
        self._tokens.append(token)
        text = self._text()
        if text.endswith(_HALF):
            return ""
        return self._give(text, len(text) - self._held(text))

    def rest(self) -> str:
        """What was held back, at the end."""
        text = self._text()
        return "" if self.stopped else self._give(text, len(text))

    def _text(self) -> str:
        return str(self._tokenizer.decode(self._tokens, skip_special_tokens=True))

    def _give(self, text: str, end: int) -> str:
        ends = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.stopped, end = True, min(ends)
        piece = text[self._given : end]
        self._given = max(self._given, end)
        return piece

    def _held(self, text: str) -> int:
        """How many characters at the end may be the beginning of a stop text."""
        return max(
            (
                size
                for stop in self._stops
                for size in range(1, min(len(stop), len(text) + 1))
                if text.endswith(stop[:size])
            ),
            default=0,
        )
