"""Encoding against sentence-transformers: ratios on the same passages, with the same weights.

    python -m benchmarks.encoding FOLDER --dense MODEL --sparse MODEL [--limit 256] [--threads 2]

FOLDER holds `corpus.jsonl` of a BEIR collection; MODEL are model folders. Ours and the library's
`encode`, with its default settings, take turns in one process; prints passages per second, the
ratio (minimum, median, maximum of the repeats) and the largest difference of any value. Ratios are
of wall-clock time; those of processor time, beside them, suffer less from a busy machine.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import scipy.sparse as sp
import typer

from indexes.encoders.dense import SentenceTransformerEncoder
from indexes.encoders.sparse import SpladeEncoder

_READS = 256  # tokens of a text, as in our encoder for plain folders


def passages(folder: Path, limit: int) -> list[str]:
    """Title and text of passages spread evenly over a collection."""
    with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        count = sum(1 for _ in lines)
        lines.seek(0)
        entries = [json.loads(line) for line in islice(lines, 0, None, max(count // limit, 1))]
    return [f"{entry.get('title', '')} {entry['text']}".strip() for entry in entries[:limit]]


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """The result, wall-clock seconds, processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


def compare(
    name: str,
    texts: Sequence[str],
    ours: Callable[[list[str]], Any],
    theirs: Callable[[list[str]], Any],
    difference: Callable[[Any, Any], str],
    repeats: int,
) -> None:
    """Run both in turns and print the ratios."""
    ours(list(texts[:8]))
    theirs(list(texts[:8]))
    walls, processors, speeds, worst = [], [], [], ""
    for _ in range(repeats):
        expected, their_wall, their_processor = timed(lambda: theirs(list(texts)))
        found, own_wall, own_processor = timed(lambda: ours(list(texts)))
        walls.append(their_wall / own_wall)
        processors.append(their_processor / own_processor)
        speeds.append((len(texts) / own_wall, len(texts) / their_wall))
        worst = difference(found, expected)
    own, peer = (statistics.median(values) for values in zip(*speeds, strict=True))
    print(f"{name}: ours {own:.1f}, library {peer:.1f} passages/s (medians); {worst}")
    for kind, ratios in (("wall clock", walls), ("processor", processors)):
        print(
            f"  {kind:10}  ratio min {min(ratios):.2f}  median {statistics.median(ratios):.2f}  "
            f"max {max(ratios):.2f}"
        )


def dense(folder: Path, texts: Sequence[str], repeats: int, backend: str, int8: bool) -> None:
    """Ours against `SentenceTransformer.encode`."""
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformerEncoder(folder, device="cpu", backend=backend, int8=int8)
    library = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def difference(found: Any, expected: Any) -> str:
        cosine = float((found * expected).sum(axis=1).min())
        near = [_neighbours(vectors) for vectors in (found, expected)]
        same = np.mean([len(a & b) / len(b) for a, b in zip(*near, strict=True) if b])
        return (
            f"largest difference {np.abs(found - expected).max():.1e}, smallest cosine "
            f"{cosine:.6f}, {same:.1%} of the ten nearest neighbours the same"
        )

    def peer(given: list[str]) -> Any:
        return library.encode(given, normalize_embeddings=True, show_progress_bar=False)

    compare("dense", texts, encoder.encode, peer, difference, repeats)


def _neighbours(vectors: Any) -> list[set[int]]:
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -2)
    return [set(row) for row in np.argsort(-similarities, axis=1)[:, :10].tolist()]


def sparse(folder: Path, texts: Sequence[str], repeats: int) -> None:
    """Ours against `SparseEncoder.encode`."""
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling

    encoder = SpladeEncoder(folder, device="cpu")
    if (folder / "modules.json").is_file():
        library = SparseEncoder(str(folder), device="cpu", local_files_only=True)
    else:
        modules = [MLMTransformer(str(folder)), SpladePooling("max")]
        library = SparseEncoder(modules=modules, device="cpu")
        library.max_seq_length = _READS

    def difference(found: sp.csr_matrix, expected: Any) -> str:
        whole = expected.coalesce()
        rows, columns = whole.indices().numpy()
        other = sp.csr_matrix((whole.values().numpy(), (rows, columns)), shape=found.shape)
        return (
            f"largest difference {abs(found - other).max():.1e}, "
            f"{found.nnz / found.shape[0]:.0f} terms a passage"
        )

    def peer(given: list[str]) -> Any:
        return library.encode(given, show_progress_bar=False)

    compare("sparse", texts, encoder.encode, peer, difference, repeats)


def main(
    folder: Annotated[Path, typer.Argument(help="with corpus.jsonl")],
    dense_model: Annotated[Path | None, typer.Option("--dense")] = None,
    sparse_model: Annotated[Path | None, typer.Option("--sparse")] = None,
    limit: Annotated[int, typer.Option(help="passages")] = 256,
    repeats: Annotated[int, typer.Option()] = 5,
    threads: Annotated[int, typer.Option(help="0: as many as torch takes")] = 0,
    backend: Annotated[str, typer.Option(help="of our dense encoder")] = "torch",
    int8: Annotated[bool, typer.Option("--int8", help="our dense encoder quantised")] = False,
) -> None:
    """Measure both encoders, or the one whose model is given."""
    if threads:
        import torch

        torch.set_num_threads(threads)
    texts = passages(folder, limit)
    print(f"{len(texts)} passages, {sum(map(len, texts)) / len(texts):.0f} characters on average")
    if dense_model:
        dense(dense_model, texts, repeats, backend, int8)
    if sparse_model:
        sparse(sparse_model, texts, repeats)


if __name__ == "__main__":
    typer.run(main)
