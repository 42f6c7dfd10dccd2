"""What a new structure takes over from the one before.

A generation's rows are numbered anew, in the order of a fresh build. `Carried` says for each new
row where it stood before, so that a structure copies what it knows of it instead of making it
again, and comes out equal to one that was built from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

RowArray = npt.NDArray[np.int64]
Allowed = npt.NDArray[np.bool_]
"""Which rows may be found: of shape (rows,). A filter is applied inside a search, not after it."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The structure that a new one continues.

    Attributes:
        folder: where the old structure's files lie.
        origin: of shape (new rows,): the row that each passage had there, -1 for a new passage.
    """

    folder: Path
    origin: RowArray

    @property
    def kept(self) -> int:
        """How many rows are taken over."""
        return int((self.origin >= 0).sum())

    @property
    def new(self) -> RowArray:
        """The new rows that were not there before, ascending."""
        return np.flatnonzero(self.origin < 0).astype(np.int64)
