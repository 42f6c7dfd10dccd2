"""A text as one line of bounded length."""

from __future__ import annotations


def shortened(text: str, limit: int) -> str:
    """One line of at most about `limit` characters: the beginning and the end, which often asks."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    head = line[: limit * 2 // 3]
    tail = line[-(limit // 3) :]
    return f"{head.rsplit(' ', 1)[0]} … {tail.split(' ', 1)[-1]}"
