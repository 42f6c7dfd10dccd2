"""What a span model is asked, and what it answers: plain records that need no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Asked(NamedTuple):
    """A question and the passage it is asked of."""

    question: str
    title: str
    passage: str


@dataclass(frozen=True, slots=True)
class Span:
    """Characters start … end of a passage; `score` is start + end − null, 0 being undecided."""

    start: int
    end: int
    score: float
