"""How hard to think about a question: the named efforts and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EffortName = Literal["off", "quick", "normal", "deep"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to think.

    Attributes:
        calls: of a model for the whole question, the one that writes the answer included.
        seconds: of thinking; the answer's own writing comes after them.
        rounds: of further searches.
        votes: at most so many answers are compared; 0 or 1 is none.
    """

    name: EffortName
    calls: int
    seconds: float
    rounds: int
    votes: int = 0


EFFORTS: dict[EffortName, Effort] = {
    "off": Effort("off", 1, 0.0, 0),
    # No call while thinking; the one that is left writes the answer, where a model does that.
    "quick": Effort("quick", 1, 10.0, 2),
    "normal": Effort("normal", 3, 60.0, 2),
    "deep": Effort("deep", 10, 240.0, 4, votes=5),
}
