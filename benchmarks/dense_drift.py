"""What drift costs: recall with centroids that were trained before other vectors came.

    python -m benchmarks.dense_drift --vectors 40000

An inverted file is trained on vectors of one kind. Vectors of another kind are then added to it,
once with the old centroids and once with new ones, and asked for. `DenseChoice.drift` says from
which ratio of distances (of the added vectors to their centroids, to that of the first ones) an
update trains again; this shows what a search loses below and above it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import typer

from benchmarks.dense import drawn
from indexes.carried import Carried
from indexes.dense.index import DenseIndex
from indexes.dense.kinds import DenseChoice
from indexes.encoders import FloatArray
from indexes.ranking import Ranking


def _recall(found: list[Ranking], exact: list[Ranking]) -> float:
    pairs = zip(found, exact, strict=True)
    return float(np.mean([len(np.intersect1d(one.rows, other.rows)) / 10 for one, other in pairs]))


def _mixed(own: FloatArray, other: FloatArray, share: float) -> FloatArray:
    mixed = np.sqrt(1 - share) * own + np.sqrt(share) * other
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32)


def main(
    vectors: int = 40_000, dimensions: int = 384, added: float = 0.25, queries: int = 300
) -> None:
    """Print a line for each distance between the first vectors and those that were added."""
    generator = np.random.default_rng(3)
    first, second = (drawn(vectors, dimensions, generator) for _ in range(2))
    more = int(vectors * added)
    known = first(vectors)
    origin = np.append(np.arange(vectors), np.full(more, -1))
    print(f"{vectors:,} vectors, then {more:,} more; probes and lists as by default")
    print("otherness  distance ratio  recall@10 old centroids  new centroids  trains again")
    for otherness in (0.0, 0.1, 0.2, 0.3, 0.5, 1.0):
        come = _mixed(first(more), second(more), otherness)
        asked = _mixed(first(queries), second(queries), otherness)
        both = np.concatenate([known, come])
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            never = DenseChoice(kind="ivf", drift=np.inf)
            DenseIndex.build(known, None, folder / "first", choice=never)
            DenseIndex.build(
                come, None, folder / "old", Carried(folder / "first", origin), choice=never
            )
            DenseIndex.build(both, None, folder / "new", choice=never)
            exact = DenseIndex.exact(both).search_many(asked, 10)
            old, new = DenseIndex.open(folder / "old"), DenseIndex.open(folder / "new")
            training = old.description.training
            assert training is not None
            ratio = training.added_distance / training.distance
            again = "yes" if training.drifted(len(both), DenseChoice()) else "no"
            kept, renewed = (_recall(index.search_many(asked, 10), exact) for index in (old, new))
            print(f"{otherness:9.1f}  {ratio:14.3f}  {kept:23.4f}  {renewed:13.4f}  {again}")


if __name__ == "__main__":
    typer.run(main)
