"""Which kind of dense index is made, by the number of rows, and what is noted of the one made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from indexes.errors import IndexCorruptError
from indexes.files import write_atomically

Kind = Literal["flat", "ivf", "hnsw"]
DESCRIPTION = "dense.json"


@dataclass(frozen=True, slots=True)
class DenseChoice:
    """How a dense index is made.

    Attributes:
        kind: "flat" (every row compared, float32), "ivf" (inverted file, RaBitQ fast scan,
            float16 refinement) or "hnsw" (graph over float16); None: by the number of rows.
        flat_limit: up to so many rows None means "flat". An index that has left "flat" returns
            only below half of it, so that it does not change with every update.
        lists: lists of an inverted file; 0: five times the root of the rows.
        probes: lists looked at in a search for ten rows; deeper searches look at more.
        factor: candidates compared anew, for each row wanted.
        sample: training vectors for each list, at most.
        seed: of the training sample and of k-means.
        drift: train again when vectors added since training lie this much farther from their
            centroids (mean squared distance, as a ratio) than those of the training did. More of
            the same kind lie at up to 1.1, since centroids fit what they were trained on; recall
            begins to fall above 1.6 (`benchmarks.dense_drift`).
        drift_share: …and are at least this share of the rows; fewer say little.
        growth: train again when the rows have become this many times more, or fewer.
    """

    kind: Kind | None = None
    flat_limit: int = 50_000
    lists: int = 0
    probes: int = 32
    factor: float = 5.0
    sample: int = 48
    seed: int = 1
    drift: float = 1.5
    drift_share: float = 0.05
    growth: float = 4.0

    def kind_for(self, rows: int, before: Kind | None) -> Kind:
        """The kind for so many rows, where the structure before had kind `before`."""
        if self.kind is not None:
            return self.kind
        if before not in (None, "flat"):
            return "ivf" if rows > self.flat_limit // 2 else "flat"
        return "ivf" if rows > self.flat_limit else "flat"

    def lists_for(self, rows: int) -> int:
        """Lists of an inverted file of so many rows: never more than rows."""
        return max(1, min(self.lists or round(5 * rows**0.5), rows))


@dataclass(frozen=True, slots=True)
class Training:
    """What is known of the centroids of an inverted file.

    Attributes:
        rows: rows when they were trained.
        sample: vectors that they were trained on.
        distance: mean squared distance of those rows to their centroids.
        added: rows added since.
        added_distance: mean squared distance of these.
    """

    rows: int
    sample: int
    distance: float
    added: int = 0
    added_distance: float = 0.0

    def with_added(self, rows: int, distance: float) -> Training:
        """After more rows came, of this mean squared distance."""
        added = self.added + rows
        total = self.added * self.added_distance + rows * distance
        mean = total / added if added else 0.0
        return Training(self.rows, self.sample, self.distance, added, mean)

    def drifted(self, rows: int, choice: DenseChoice) -> bool:
        """Whether the centroids no longer fit an index of so many rows.

        New vectors far from every centroid share lists with what they do not resemble: their
        neighbours are then spread over lists that a search does not look at. Many more rows
        make the lists long, and a search slow.
        """
        if not self.rows / choice.growth <= rows <= self.rows * choice.growth:
            return True
        enough = self.added >= choice.drift_share * rows
        return enough and self.added_distance > choice.drift * self.distance


@dataclass(frozen=True, slots=True)
class Description:
    """What `dense.json` says of the index beside it.

    Attributes:
        stored: type of the stored vectors; with "ivf" these are what candidates are compared
            anew with.
    """

    kind: Kind
    rows: int
    dimensions: int
    stored: str
    lists: int = 0
    probes: int = 0
    factor: float = 0.0
    training: Training | None = None

    def write(self, folder: Path) -> None:
        """Write the description, last of all files."""
        write_atomically(folder / DESCRIPTION, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> Description:
        """The description in `folder`.

        Raises:
            IndexCorruptError: it is missing or makes no sense.
        """
        try:
            noted = json.loads((folder / DESCRIPTION).read_bytes())
            noted = {f.name: noted[f.name] for f in fields(cls)}
            training = noted.pop("training")
            description = cls(**noted, training=None if training is None else Training(**training))
            sizes = (description.rows, description.dimensions, description.lists)
            if description.kind not in get_args(Kind) or min(sizes) < 0:
                raise ValueError("unknown kind or impossible size")
            if description.kind == "ivf" and training is None:
                raise ValueError("nothing is said of the training")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexCorruptError(
                f"the dense index in {folder} is damaged: {error}",
                remedy="run `assistant index build` again",
            ) from error
        return description
