"""BM25's formula, in Lucene's form without the constant k1 + 1.

Kamphuis et al., "Which BM25 Do You Mean?", ECIR 2020: "Lucene (accurate)". k1 and b are the values
of Anserini's MS MARCO passage runs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

K1 = 0.9
B = 0.4


def inverse_frequency(df: int, passages: int) -> float:
    """The inverse document frequency of a term in `df` of `passages`; 0 for none."""
    return math.log(1 + (passages - df + 0.5) / (df + 0.5)) if df else 0.0


def saturation(
    tf: npt.NDArray[np.float32], lengths: npt.NDArray[Any], average: float
) -> npt.NDArray[np.float64]:
    """What frequencies `tf` count for in passages of `lengths` terms, each below 1."""
    if not len(tf):
        return np.zeros(0, dtype=np.float64)
    norm: npt.NDArray[np.float64] = K1 * ((1 - B) + B * lengths / average) + tf
    return tf / norm
