"""Dense search against FAISS' own flat index and HNSW: recall, speed, memory, disk, building.

    python -m benchmarks.dense --vectors 200000
    python -m benchmarks.dense --vectors 1000000 --skip hnsw --repeats 1
    python -m benchmarks.dense --vectors 200000 --given FILE.npy      (rows of real passages)

Every measurement is a process of its own on one thread; a repeat searches all kinds one after the
other, and ratios are those within a repeat. Queries per second are per second of processor time,
for queries that come one at a time, as an assistant's do, and in one batch. Recall counts how many
of the ten nearest by float32 inner product are found.

Vectors are drawn, unless given: clusters of unequal size (Zipf, exponent .7, one cluster for 100
vectors) in 128 directions of falling weight, with noise within and around them; queries are drawn
like them and are not among them. Given ones are repeated with noise until there are enough, and
queries are rows left out, with the same noise. Settings were chosen on seed 1; the default here is
another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from indexes.encoders import FloatArray

faiss: Any = import_module("faiss")
_BLOCK = 50_000
_DIRECTIONS = 128
Draw = Callable[[int], FloatArray]


def drawn(vectors: int, dimensions: int, generator: np.random.Generator) -> Draw:
    """Draws vectors of the clustered kind described above."""
    clusters = max(1, vectors // 100)
    falling = np.arange(1, _DIRECTIONS + 1)[:, None] ** -0.35
    basis = (generator.standard_normal((_DIRECTIONS, dimensions)) * falling).astype(np.float32)
    centres = generator.standard_normal((clusters, _DIRECTIONS), dtype=np.float32)
    shares = np.arange(1, clusters + 1) ** -0.7
    shares /= shares.sum()

    def draw(count: int) -> FloatArray:
        within = generator.standard_normal((count, _DIRECTIONS), dtype=np.float32)
        around = generator.standard_normal((count, dimensions), dtype=np.float32)
        chosen = centres[generator.choice(clusters, count, p=shares)]
        return _unit((chosen + 0.9 * within) @ basis + 0.6 * around)

    return draw


def repeated(given: FloatArray, generator: np.random.Generator, noise: float = 0.6) -> Draw:
    """Draws rows of `given`, each moved by noise of `noise` times its length."""

    def draw(count: int) -> FloatArray:
        rows = np.asarray(given[generator.integers(0, len(given), count)], dtype=np.float32)
        moved = generator.standard_normal(rows.shape, dtype=np.float32)
        return _unit(_unit(rows) + noise * _unit(moved))

    return draw


def _unit(vectors: np.ndarray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)


def prepare(folder: Path, draws: tuple[Draw, Draw], counts: tuple[int, int]) -> None:
    """Write vectors, queries, and the ten nearest of each query, found exactly."""
    vectors, queries = counts
    asked = draws[1](queries)
    shape = (vectors, asked.shape[1])
    file = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, shape)
    scores, rows = [], []
    for start in range(0, vectors, _BLOCK):
        block = draws[0](min(_BLOCK, vectors - start))
        file[start : start + len(block)] = block
        flat = faiss.IndexFlatIP(shape[1])
        flat.add(block)
        block_scores, block_rows = flat.search(asked, 10)
        scores.append(block_scores)
        rows.append(block_rows + start)
    file.flush()
    all_scores, all_rows = np.hstack(scores), np.hstack(rows)
    best = np.argsort(-all_scores, axis=1, kind="stable")[:, :10]
    np.save(folder / "queries.npy", asked)
    np.save(folder / "exact.npy", np.take_along_axis(all_rows, best, axis=1))


def _measured(*arguments: str | Path) -> dict[str, float]:
    """Run one worker on one thread."""
    command = [sys.executable, "-m", "benchmarks.dense_worker", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, check=True, capture_output=True, env=environment, text=True)
    result: dict[str, float] = json.loads(run.stdout)
    return result


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def _spread(values: Sequence[float], form: str) -> str:
    low, middle, high = min(values), float(np.median(values)), max(values)
    return f"{middle:{form}} ({low:{form}} … {high:{form}})"


def _report(kind: str, runs: Sequence[dict[str, float]], flat: Sequence[dict[str, float]]) -> None:
    print(f"\n{kind}: recall@10 {runs[0]['recall']:.4f}")
    for name, label in (("single", "one at a time"), ("batch", "in one batch")):
        ratios = [own[name] / peer[name] for own, peer in zip(runs, flat, strict=True)]
        rates = _spread([run[name] for run in runs], ",.0f")
        print(f"  {label}: {rates} queries per cpu second; × flat {_spread(ratios, '.1f')}")
    resident = _spread([run["resident"] for run in runs], ",.0f")
    grown = _spread([run["resident"] - run["before"] for run in runs], ",.0f")
    mapped = _spread([run["mapped"] for run in runs], ",.0f")
    print(f"  resident {resident} MB, {grown} more than before opening; {mapped} of mapped files")


def main(
    vectors: Annotated[int, typer.Option(help="how many")] = 200_000,
    queries: int = 500,
    dimensions: int = 384,
    repeats: int = 3,
    seed: int = 2,
    given: Annotated[Path | None, typer.Option(help="an array of real vectors")] = None,
    kinds: Annotated[str, typer.Option(help="also ours-ivf-probes=64 …")] = "flat,hnsw,ours",
    skip: str = "",
    folder: Annotated[Path | None, typer.Option(help="where files go; temporary")] = None,
) -> None:
    """Build every kind once, search each in every repeat, and print what it took."""
    chosen = [kind for kind in kinds.split(",") if kind not in skip.split(",")]
    generator = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        if given is None:
            draw = drawn(vectors, dimensions, generator)
            draws = (draw, draw)
            print(f"{vectors:,} drawn vectors of {dimensions} dimensions, seed {seed}", end="")
        else:
            rows = generator.permutation(np.load(given, mmap_mode="r"))
            held_out = max(1, min(queries, len(rows) // 10))
            draws = (repeated(rows[held_out:], generator), repeated(rows[:held_out], generator))
            print(f"{vectors:,} vectors of {len(rows):,} in {given.name}, with noise", end="")
        print(f"; {queries} queries; {repeats} repeats; middle (lowest … highest)")
        prepare(place, draws, (vectors, queries))
        built = {}
        for kind in chosen:
            built[kind] = _measured("build", kind, place / kind, place / "vectors.npy")
            print(
                f"{kind}: built in {built[kind]['seconds']:.1f} s ({built[kind]['cpu']:.1f} s cpu)"
                f", peak {built[kind]['peak']:,.0f} MB; {_size(place / kind):,.1f} MB on disk"
            )
            if kind.startswith("ours"):
                print("  " + (place / kind / "dense.json").read_text().replace("\n", " "))
                updated = _measured("update", kind, place / kind, place / "vectors.npy")
                ratio = updated["cpu"] / built[kind]["cpu"]
                print(
                    f"  1 % of rows exchanged: {updated['cpu']:.1f} s cpu, {ratio:.3f} × building"
                )
        files = (place / "queries.npy", place / "exact.npy")
        runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in chosen}
        for _ in range(repeats):
            for kind in chosen:
                runs[kind].append(_measured("search", kind, place / kind, *files))
        for kind in chosen:
            _report(kind, runs[kind], runs[chosen[0]])


if __name__ == "__main__":
    typer.run(main)
