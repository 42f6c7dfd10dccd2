"""What an index takes: bytes on the disk and in memory, by structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexes.dense.index import RESIDENT_LIMIT
from indexes.manifest import MANIFEST, Manifest
from indexes.structures import CACHE

_PARTS = {
    "documents": "documents and passages",
    "lexical": "search by words",
    "dense": "search by meaning",
    "sparse": "search by related words",
    "cache": "encodings, kept so that nothing is encoded twice",
    "graph": "graph",
    "other": "other files, prepared questions among them",
    "work": "work under way, or left over",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One structure of an index.

    Attributes:
        name: `documents`, `lexical`, `dense`, `sparse`, `cache`, `graph`, `other` or `work`.
        what: the same in words.
        disk: bytes on the disk.
        memory: bytes that are read into memory when the index is opened; files that are only
            mapped count nothing, since the system drops them when memory is short.
    """

    name: str
    what: str
    disk: int
    memory: int


def parts_of(folder: Path, manifest: Manifest, resident_limit: int = RESIDENT_LIMIT) -> list[Part]:
    """The structures of the index in `folder`, those that are there.

    Args:
        resident_limit: dense files of more bytes than this are mapped, smaller ones read.
    """
    disk = dict.fromkeys(_PARTS, 0)
    memory = dict.fromkeys(_PARTS, 0)
    for path, size in _files(folder):
        name = _part_of(path.relative_to(folder), manifest)
        disk[name] += size
        if name == "dense" and size <= resident_limit:
            memory[name] += size
    return [Part(name, _PARTS[name], disk[name], memory[name]) for name in _PARTS if disk[name]]


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder; files that vanish meanwhile count nothing."""
    return sum(size for _, size in _files(folder))


def _part_of(path: Path, manifest: Manifest) -> str:
    top = path.parts[0]
    if top == manifest.generation and len(path.parts) > 1:
        inner = path.parts[1]
        structure = inner.partition("-")[0]
        if structure in ("lexical", "dense", "sparse"):
            stage = manifest.stages.get(structure)
            named = stage is not None and any(f.startswith(f"{inner}/") for f in stage.files)
            return structure if named else "work"
        return "work" if inner.endswith(".partial") else "documents"
    if top.startswith(CACHE):
        return "cache"
    if top.startswith("graph.sqlite"):
        return "graph"
    left = top.startswith(("g0", "staging", "leftover")) or top.endswith(".partial")
    return "work" if left and top != MANIFEST else "other"


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                yield path, path.stat().st_size
        except OSError:
            continue
