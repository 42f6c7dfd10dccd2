"""Sparse search against scipy's inner product: queries per cpu-second, and that both agree.

    python -m benchmarks.sparse [--passages 200000] [--terms 140] [--query-terms 35]

Passages and queries are made by chance with a fixed seed: terms by Zipf's law over a vocabulary of
30,522, weights log-normal, as learned sparse encoders give them. Both search the same queries in
turns, in one process; every query's result is compared, rows and scores bit for bit. Prints the
ratio of queries per cpu-second (minimum, median, maximum of the repeats), then what building costs:
from nothing, and with 1 % of the passages new.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import scipy.sparse as sp
import typer

from indexes.carried import Carried
from indexes.ranking import Ranking, top
from indexes.sparse.index import SparseIndex
from indexes.sparse.postings import Terms

VOCABULARY = 30_522


def made(rows: int, terms: int, seed: int) -> sp.csr_matrix:
    """A matrix of shape (rows, VOCABULARY) with about `terms` weights a row."""
    generator = np.random.default_rng(seed)
    chances = 1 / np.arange(1, VOCABULARY + 1) ** 0.8
    # One shuffle for all seeds: the same terms are frequent in passages and in queries.
    np.random.default_rng(0).shuffle(chances)
    edges = np.cumsum(chances / chances.sum())
    parts = []
    for begin in range(0, rows, 20_000):
        count = min(20_000, rows - begin)
        # Terms drawn twice are one, so a few more are drawn.
        drawn = int(terms * 1.15)
        columns = np.searchsorted(edges, generator.random(count * drawn)).clip(0, VOCABULARY - 1)
        row = np.repeat(np.arange(count), drawn)
        keys = np.unique(row * VOCABULARY + columns)
        weights = generator.lognormal(-1.0, 0.8, len(keys)).astype(np.float32)
        parts.append(
            sp.csr_matrix(
                (weights, (keys // VOCABULARY, keys % VOCABULARY)), shape=(count, VOCABULARY)
            )
        )
    return sp.vstack(parts, format="csr")


def passages(matrix: sp.csr_matrix) -> Iterator[Terms]:
    """The rows of a matrix as an index takes them."""
    for row in range(matrix.shape[0]):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        yield matrix.indices[part], matrix.data[part]


def timed(search: Callable[[int], Ranking], count: int) -> tuple[list[Ranking], float]:
    """The results of `count` queries, and queries per cpu-second."""
    started = time.process_time()
    found = [search(number) for number in range(count)]
    return found, count / (time.process_time() - started)


def main(
    passage_count: Annotated[int, typer.Option("--passages")] = 200_000,
    terms: Annotated[int, typer.Option(help="of a passage, on average")] = 140,
    query_terms: Annotated[int, typer.Option(help="of a query, on average")] = 35,
    queries: Annotated[int, typer.Option(help="searched by both, each repeat")] = 40,
    depth: Annotated[int, typer.Option()] = 100,
    repeats: Annotated[int, typer.Option()] = 5,
) -> None:
    """Measure search and building."""
    matrix = made(passage_count, terms, seed=1)
    asked = made(queries, query_terms, seed=2)
    print(
        f"{passage_count} passages of {matrix.nnz / passage_count:.0f} terms, "
        f"{queries} queries of {asked.nnz / queries:.0f}, depth {depth}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.process_time()
        SparseIndex.build(passages(matrix), VOCABULARY, folder / "fresh")
        fresh = time.process_time() - started
        index = SparseIndex.open(folder / "fresh")
        ours = [index.search(asked[0], depth)]  # compiles, or loads what was compiled
        compare(index, matrix, asked, depth, repeats)
        size = sum(path.stat().st_size for path in (folder / "fresh").iterdir())
        origin = np.arange(passage_count)
        origin[:: max(passage_count // max(passage_count // 100, 1), 1)] = -1
        changed = Carried(folder / "fresh", origin)
        started = time.process_time()
        SparseIndex.build(passages(matrix[changed.new]), VOCABULARY, folder / "carried", changed)
        carried = time.process_time() - started
        same = all(
            (folder / "carried" / path.name).read_bytes() == path.read_bytes()
            for path in (folder / "fresh").iterdir()
        )
    print(f"build {fresh:.1f} cpu-s, {size / 1e6:.0f} MB; with {len(changed.new)} new passages ")
    print(f"  {carried:.1f} cpu-s, files {'equal' if same else 'DIFFERENT'}")
    if not same or not ours:
        raise typer.Exit(1)


def compare(
    index: SparseIndex, matrix: sp.csr_matrix, asked: sp.csr_matrix, depth: int, repeats: int
) -> None:
    """Search with both in turns; print the rates and their ratio."""

    def by_scipy(number: int) -> Ranking:
        scores = np.asarray((matrix @ asked[number].T).todense(), dtype=np.float32).ravel()
        return top(scores, depth)

    ratios, rates = [], []
    for _ in range(repeats):
        expected, peer = timed(by_scipy, asked.shape[0])
        found, own = timed(lambda number: index.search(asked[number], depth), asked.shape[0])
        for one, other in zip(found, expected, strict=True):
            if (one.rows.tolist(), one.scores.tobytes()) != (
                other.rows.tolist(),
                other.scores.tobytes(),
            ):
                raise typer.Exit(1)
        ratios.append(own / peer)
        rates.append((own, peer))
    own, peer = (statistics.median(values) for values in zip(*rates, strict=True))
    print(f"ours {own:.0f}, scipy {peer:.1f} queries per cpu-second (medians), all results equal")
    print(
        f"ratio min {min(ratios):.0f}  median {statistics.median(ratios):.0f}  "
        f"max {max(ratios):.0f}"
    )


if __name__ == "__main__":
    typer.run(main)
