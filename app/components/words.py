"""Small words that several parts of the page need."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 passage`, `1,200 passages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
