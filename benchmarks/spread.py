"""How measurements are said: least, median, most."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def spread(values: Sequence[float], unit: str = "s", digits: int = 2) -> str:
    """`min 0.10  median 0.20  max 0.30 s`."""
    named = {"min": min(values), "median": statistics.median(values), "max": max(values)}
    return f"{'  '.join(f'{name} {value:.{digits}f}' for name, value in named.items())} {unit}"
