"""Small words that several parts of the page need."""

from __future__ import annotations

STAGES = {"lexical": "words", "dense": "meaning", "sparse": "related words"}
"""What the stages of a search go by, for people."""
SEARCHES = {stage: f"the search by {name}" for stage, name in STAGES.items()}
"""The same within sentences."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 passage`, `1,200 passages`; `plural` where an s is not enough."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
