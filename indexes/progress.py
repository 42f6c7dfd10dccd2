"""How far long work is: plain data, so that a terminal, a page and a log can all show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One report. `total` and `remaining` (seconds) are None where they are not known."""

    stage: str
    done: int
    total: int | None
    unit: str
    seconds: float
    remaining: float | None = None

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0


OnProgress = Callable[[Progress], None]
