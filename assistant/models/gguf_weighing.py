"""The reliance dial in the GGUF runtime: two prompts, weighed token by token.

The runtime samples by itself, so each token is asked for twice, with the passages and without, and
chosen here from the likeliest of both. Each prompt has a slot of its own, whose cache makes a token
cost one pass; an answer costs two passes a token and is not faster than that. What understanding a
message has left in the slots is read anew the next time.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from assistant.answering.dial import Share
from assistant.answering.reliance import Vector, mixed
from assistant.models.gguf_runtime import Candidate, GGUFRuntime

# The tokens that one distribution ranks among its first ten are nearly always among the other's
# first hundred; where one is not, it is taken to be as likely as the last that is listed.
_LISTED = 100
_READING, _OWN = 0, 1  # slots


def weighed(
    runtime: GGUFRuntime,
    messages: Sequence[dict[str, Any]],
    without: Sequence[dict[str, Any]],
    share: Share,
    *,
    most: int,
    temperature: float = 0.0,
    seed: int | None = None,
) -> Iterator[str]:
    """The answer's text, piece by piece.

    Args:
        messages: the conversation with the material of the documents.
        without: the same question without it.
        share: α, or "auto"; see `assistant.answering.reliance`.
        most: tokens at most.

    Raises:
        ModelRuntimeError: a prompt is too long, or the model failed.
    """
    reading, own = runtime.prompt(messages), runtime.prompt(without)
    generator = np.random.default_rng(seed)
    letters = codecs.getincrementaldecoder("utf-8")("replace")  # a token may be half a letter
    for _ in range(most):
        known = runtime.following(reading, _READING, _LISTED)
        alone = runtime.following(own, _OWN, _LISTED)
        listed, first, second = aligned(known, alone)
        chosen = listed[mixed(second, first, share).sample(temperature, generator)]
        if not chosen.text:
            break
        if text := letters.decode(chosen.text):
            yield text
        reading.append(chosen.id)
        own.append(chosen.id)
    if text := letters.decode(b"", final=True):
        yield text


def aligned(
    known: Sequence[Candidate], alone: Sequence[Candidate]
) -> tuple[list[Candidate], Vector, Vector]:
    """Two lists of tokens as one, ascending by id, with the log-probabilities of both. Shapes (C,).

    A token that only one list has gets the other's lowest log-probability, which is the most that
    it can have there.
    """
    tokens = {candidate.id: candidate for candidate in (*alone, *known)}
    listed = [tokens[identity] for identity in sorted(tokens)]
    vectors = []
    for side in (known, alone):
        told = {candidate.id: candidate.logprob for candidate in side}
        lowest = min(told.values(), default=0.0)
        vectors.append(np.array([told.get(candidate.id, lowest) for candidate in listed]))
    return listed, vectors[0], vectors[1]
