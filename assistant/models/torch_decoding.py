"""Writing tokens from one prompt, or from two at once that are weighed against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from assistant.answering.reliance import Vector
from assistant.models.torch_runtime import Session

# Row, log p(x | passages, question), log p(x | question) or None → the token. Shapes (V,).
Pick = Callable[[int, Vector, Vector | None], int]


def decode(
    reading: Session,
    own: Session | None,
    pick: Pick,
    *,
    rows: Sequence[int],
    most: int,
    stops: frozenset[int],
) -> Iterator[list[int | None]]:
    """The tokens of all rows, step by step; None in a row that has ended.

    Both sessions go on with the same tokens: that is what makes the two distributions comparable.
    Rows that continue the same prompt with the same tokens are computed once.

    Args:
        reading: the prompts with passages.
        own: the same questions without passages; None where nothing is weighed.
        rows: which prompt each row continues; a prompt may have several rows, which then differ by
            what is picked.
        most: steps at most.
        stops: tokens that end a row; they are not part of it.
    """
    state = list(rows)  # of each row, its place in the sessions
    ended = [False] * len(state)
    for step in range(most):
        known = reading.logprobs()
        alone = None if own is None else own.logprobs()
        tokens: list[int | None] = []
        for row, at in enumerate(state):
            token = None
            if not ended[row]:
                token = pick(row, known[at], None if alone is None else alone[at])
                ended[row] = token in stops
            tokens.append(None if ended[row] else token)
        if all(ended):
            return
        yield tokens
        if step + 1 == most:
            return
        places: dict[tuple[int, int], int] = {}
        for row, token in enumerate(tokens):
            if token is not None:
                state[row] = places.setdefault((state[row], token), len(places))
        parents, following = [at for at, _ in places], [token for _, token in places]
        for session in filter(None, (reading, own)):
            session.advance(following, parents)


def likeliest(logprobs: Vector, most: int) -> Sequence[int]:
    """The most likely tokens of (V,) log-probabilities, best first."""
    size = min(most, len(logprobs))
    top = np.argpartition(-logprobs, size - 1)[:size]
    return [int(token) for token in top[np.argsort(-logprobs[top], kind="stable")]]
