"""How many threads a model computes with."""

from __future__ import annotations

import os


def threads_for(wanted: int) -> int:
    """`wanted`; for 0 what OMP_NUM_THREADS says, as torch does, else one for each core.

    More threads than cores that are free wait for each other in a loop: two models that each take
    all cores are many times slower than one after the other.
    """
    if wanted:
        return wanted
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdecimal() and int(said) else os.cpu_count() or 1
