"""How likely the teacher found what it wrote: log-probabilities of the tokens of an answer.

A chat model tells the log-probability of each token of its JSON. The tokens of a string value are
those that overlap it, byte by byte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from assistant.knowledge.entries import TokenProbabilities

_VALUE = r'"\s*:\s*"((?:[^"\\]|\\.)*)"'
_LISTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')


def value_spans(text: bytes, key: str) -> list[tuple[int, int]]:
    """Where the string values of `key` stand in a JSON text, as byte offsets without quotes."""
    pattern = re.compile(f'"{re.escape(key)}{_VALUE}'.encode())
    return [match.span(1) for match in pattern.finditer(text)]


def list_spans(text: bytes, key: str) -> list[tuple[int, int]]:
    """Where the strings of the list `key` stand in a JSON text; the list is the last one in it."""
    start = re.search(f'"{re.escape(key)}"\\s*:\\s*\\['.encode(), text)
    return [match.span(1) for match in _LISTED.finditer(text, start.end())] if start else []


def tokens_between(
    told: Sequence[Mapping[str, Any]], begin: int, end: int
) -> tuple[TokenProbabilities, ...]:
    """The tokens that overlap bytes `begin` to `end` of what was written.

    Args:
        told: in OpenAI's form: `token`, `bytes`, `logprob`, `top_logprobs`.
    """
    ends = list(accumulate(len(_bytes(token)) for token in told))
    found = []
    for token, after in zip(told, ends, strict=True):
        if after > begin and after - len(_bytes(token)) < end:
            found.append(_probabilities(token))
    return tuple(found)


def mean_logprob(tokens: Sequence[TokenProbabilities]) -> float | None:
    """Mean log-probability per token (nats); None where there are no tokens."""
    if not tokens:
        return None
    return sum(token.logprob for token in tokens) / len(tokens)


def written(told: Sequence[Mapping[str, Any]]) -> bytes:
    """All that the tokens say."""
    return b"".join(_bytes(token) for token in told)


def _bytes(token: Mapping[str, Any]) -> bytes:
    raw = token.get("bytes")
    return bytes(raw) if raw is not None else str(token.get("token", "")).encode()


def _probabilities(token: Mapping[str, Any]) -> TokenProbabilities:
    top = [
        (str(other.get("token", "")), _finite(other.get("logprob")))
        for other in token.get("top_logprobs") or []
    ]
    tail = max(0.0, 1.0 - sum(math.exp(logprob) for _, logprob in top))
    logprob = min(0.0, _finite(token.get("logprob")))
    return TokenProbabilities(str(token.get("token", "")), logprob, tuple(top), tail)


# A runtime may say -inf (as null) of a token that it was made to write; e^-30 is none as well.
_LEAST = -30.0


def _finite(value: Any) -> float:
    number = float(value) if isinstance(value, int | float) else _LEAST
    return max(number, _LEAST) if math.isfinite(number) else _LEAST
