"""Search structures of a generation: built beside their place, flushed, checksummed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexes.carried import Carried
from indexes.dense.index import DenseIndex
from indexes.encodings import unpack_terms, unpack_vector
from indexes.files import sha256_of
from indexes.manifest import Stage
from indexes.sparse.index import SparseIndex


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A folder to build in, which takes the place of `target` when all went well."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    yield partial
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)


def build_encoded(
    name: str,
    results: Iterator[bytes],
    dimensions: int | None,
    target: Path,
    carried: Carried | None,
) -> None:
    """Build the dense or sparse structure in `target` from the new rows' packed encodings.

    `dimensions` None: as many as the encodings show.
    """
    with beside(target) as folder:
        if name == "dense":
            vectors = (unpack_vector(data) for data in results)
            DenseIndex.build(vectors, dimensions, folder, carried)
        else:
            terms = (unpack_terms(data) for data in results)
            SparseIndex.build(terms, dimensions, folder, carried)


def intact(place: Path, stage: Stage) -> bool:
    """Whether a stage's files are all there, byte for byte."""
    try:
        return all(sha256_of(place / name) == checksum for name, checksum in stage.files.items())
    except OSError:
        return False


def finished_stage(folder: Path, fingerprint: str, rate: float = 0.0) -> Stage:
    """Make sure that a structure is on the disk, and note its files' checksums."""
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files[f"{folder.name}/{path.name}"] = sha256_of(path)
    return Stage(fingerprint, files, rate)
