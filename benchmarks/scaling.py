"""What an index costs on a server as it grows, measured at a few sizes and carried on.

    python -m benchmarks.scaling postgresql://USER@HOST/DATABASE [--sizes 2000 5000 10000]
                                 [--target 116800000]

Passages are synthetic: words drawn by Zipf's law, unit vectors of 384 dimensions around cluster
centres, learned sparse weights of about 200 terms out of 30,522. Encoding is not measured here
(`benchmarks` of the encoders do that): encodings are drawn, so what is timed is loading, storing,
building graphs and searching. Bytes are the server's own counts (`pg_total_relation_size`).
A straight line through the sizes gives bytes and seconds for a passage; the table carries it on to
the target. The largest miss of the line on the
measured sizes is printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
import scipy.sparse as sp

from indexes.documents import Block, Document, Entry, ReadFailure, content_hash
from indexes.encoders import FloatArray
from indexes.errors import IndexNotFoundError
from indexes.postgres.address import Address
from indexes.postgres.encodings import known_encoders
from indexes.postgres.index import PostgresIndex
from indexes.postgres.worker import opened
from indexes.postgres.writer import PostgresWriter
from indexes.progress import Progress

NAME = "bench-scaling"
DIMENSIONS, VOCABULARY, TERMS, WORDS = 384, 30_522, 200, 120
TABLES = ("documents", "passages", "lexical")
STAGES = ("lexical", "dense", "sparse")
_QUERIES = 20


class SyntheticSource:
    """Documents of one passage each."""

    spec = "synthetic:"

    def __init__(self, size: int) -> None:
        random = np.random.default_rng(1)
        words = np.minimum(random.zipf(1.3, size * WORDS), 50_000).reshape(size, WORDS)
        self._words = words

    def entries(self) -> Iterator[Entry | ReadFailure]:
        for number in range(len(self._words)):
            uri = f"synthetic/{number:09d}"
            yield Entry(uri, "1", lambda n=number, u=uri: self._load(n, u))  # type: ignore[misc]

    def _load(self, number: int, uri: str) -> Document:
        text = " ".join(f"w{word}" for word in self._words[number])
        block = Block(0, len(text), kind="passage")
        return Document(uri, uri, uri, text, (block,), fingerprint="1")


class DrawnDense:
    """A unit vector for a text, drawn by its hash around one of 64 centres."""

    fingerprint, dimensions = "drawn-dense", DIMENSIONS

    def __init__(self) -> None:
        centres = np.random.default_rng(2).normal(size=(64, DIMENSIONS))
        self._centres = centres / np.linalg.norm(centres, axis=1, keepdims=True)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            random = np.random.default_rng(int(content_hash(text)[:12], 16))
            noise = random.normal(size=DIMENSIONS) / np.sqrt(DIMENSIONS)
            vectors[row] = self._centres[random.integers(64)] + noise
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


class DrawnSparse:
    """Weights of about 200 terms for a text, drawn by its hash; some terms are more common."""

    fingerprint, dimensions = "drawn-sparse", VOCABULARY

    def encode(self, texts: Sequence[str]) -> sp.csr_matrix:
        rows, columns, weights = [], [], []
        for row, text in enumerate(texts):
            random = np.random.default_rng(int(content_hash(text)[:12], 16))
            drawn = (VOCABULARY * random.random(TERMS) ** 3).astype(int)
            terms = np.unique(np.minimum(drawn, VOCABULARY - 1))
            rows += [row] * len(terms)
            columns += terms.tolist()
            weights += random.gamma(2.0, 0.4, len(terms)).tolist()
        values = np.asarray(weights, dtype=np.float32)
        return sp.csr_matrix((values, (rows, columns)), shape=(len(texts), VOCABULARY))

    def term(self, column: int) -> str:
        return str(column)


class Drawn:
    """Both encoders."""

    def __init__(self) -> None:
        self._dense, self._sparse = DrawnDense(), DrawnSparse()

    def dense(self) -> DrawnDense:
        return self._dense

    def sparse(self) -> DrawnSparse:
        return self._sparse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 5000, 10_000])
    parser.add_argument("--target", type=int, default=116_800_000)
    options = parser.parse_args()
    address = Address.parse(options.address)
    points = [_measure(address, size) for size in sorted(options.sizes)]
    print(f"{'measured':<28}" + "".join(f"{size:>14,}" for size in sorted(options.sizes)))
    print(f"{'':<28}" + f"{'passages':>14}" * len(points))
    for name in points[0]:
        print(f"{name:<28}" + "".join(f"{point[name]:>14,.1f}" for point in points))
    print(f"\nper passage, and carried on to {options.target:,} passages")
    print(f"{'':<28}{'per passage':>14}{'at the target':>18}{'line misses by':>16}")
    sizes = np.array(sorted(options.sizes), dtype=float)
    for name in points[0]:
        if name.startswith("search"):
            continue  # exact searches grow with the size, walks over a graph do not
        values = np.array([point[name] for point in points])
        slope, start = np.polyfit(sizes, values, 1)
        miss = np.max(np.abs(slope * sizes + start - values) / np.maximum(values, 1e-9))
        total = slope * options.target
        shown = f"{total / 1e9:,.1f} GB" if "bytes" in name else f"{total / 3600:,.1f} h"
        unit = "bytes" if "bytes" in name else "ms"
        each = slope if unit == "bytes" else 1000 * slope
        print(f"{name:<28}{each:>8,.2f} {unit:<5}{shown:>18}{100 * miss:>14.1f} %")


def _measure(address: Address, size: int) -> dict[str, float]:
    with suppress(IndexNotFoundError):
        PostgresWriter(address, NAME, Drawn()).delete_index()
    seconds: dict[str, float] = {}

    def note(progress: Progress) -> None:
        seconds[progress.stage] = progress.seconds

    writer = PostgresWriter(address, NAME, Drawn(), graph_above=0, on_progress=note)
    writer.build([SyntheticSource(size)])
    found = {
        "load seconds": seconds["read"],
        "store dense seconds": seconds["dense"],
        "store sparse seconds": seconds["sparse"],
        "dense graph seconds": seconds["dense graph"],
        "sparse graph seconds": seconds["sparse graph"],
    }
    with opened(address, NAME) as session:
        for table in TABLES:
            found[f"{table} bytes"] = float(
                session.value("SELECT pg_total_relation_size(%s::regclass)", (table,))
            )
        for known in known_encoders(session):
            graph = float(session.value("SELECT pg_relation_size(%s::regclass)", (known.graph,)))
            whole = float(
                session.value("SELECT pg_total_relation_size(%s::regclass)", (known.table,))
            )
            found[f"{known.stage} bytes"] = whole - graph
            found[f"{known.stage} graph bytes"] = graph
    source = SyntheticSource(size)
    texts = [entry.load().text for entry in source.entries() if isinstance(entry, Entry)][:_QUERIES]
    for kind, exact_up_to in (("exact", size), ("graph", 0)):
        index = PostgresIndex.connect(address, NAME, Drawn(), exact_up_to=exact_up_to)
        for stage in STAGES:
            if stage == "lexical" and kind == "graph":
                continue
            times = []
            for text in texts:
                query = " ".join(text.split()[:8])
                started = time.perf_counter()
                index.search(query, weights={stage: 1.0})
                times.append(1000 * (time.perf_counter() - started))
            found[f"search {stage} {kind} ms"] = statistics.median(times)
        index.close()
    PostgresWriter(address, NAME, Drawn()).delete_index()
    return found


if __name__ == "__main__":
    main()
