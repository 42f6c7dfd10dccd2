"""Search structures of a generation: built beside their place, flushed, checksummed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from indexes.dense import DenseIndex
from indexes.encodings import unpack_terms, unpack_vector
from indexes.files import sha256_of
from indexes.manifest import Stage
from indexes.sparse import SparseIndex


def build_stage(name: str, results: Iterator[bytes], dimensions: int | None, target: Path) -> None:
    """Build a search structure beside its place, then move it there.

    `dimensions` None: as many as the encodings show.
    """
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    if name == "dense":
        DenseIndex.build((unpack_vector(data) for data in results), dimensions, partial)
    else:
        SparseIndex.build((unpack_terms(data) for data in results), dimensions, partial)
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)


def intact(place: Path, stage: Stage) -> bool:
    """Whether a stage's files are all there, byte for byte."""
    try:
        return all(sha256_of(place / name) == checksum for name, checksum in stage.files.items())
    except OSError:
        return False


def finished_stage(folder: Path, fingerprint: str) -> Stage:
    """Make sure that a structure is on the disk, and note its files' checksums."""
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files[f"{folder.name}/{path.name}"] = sha256_of(path)
    return Stage(fingerprint, files)
