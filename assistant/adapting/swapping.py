"""Putting adapted weights in force, and going back.

The record is written first, then an embedder's index is completed: the published index answers with
the vectors and the embedder that it has until its manifest names the new ones. Killed in between,
the same command, or any update of the index, goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assistant.adapting.candidates import VECTORS
from assistant.adapting.installed import (
    FOLDER,
    KEPT_VECTORS,
    AdaptedPart,
    Installed,
    InstalledStore,
)
from assistant.adapting.judging import Role
from assistant.adapting.work import WorkFolder, adapting_lock, keys_of
from assistant.workspace import Workspace
from indexes.encodings import EncodingCache, pack_vector
from indexes.files import storage_errors
from indexes.index import Index
from indexes.manifest import STORE_FILE, now, read_manifest
from indexes.progress import OnProgress
from indexes.store import PassageStore
from indexes.structures import CACHE

_BATCH = 512


def install(
    workspace: Workspace,
    name: str,
    role: Role,
    place: Path,
    part: AdaptedPart,
    *,
    first: bool,
    on_progress: OnProgress,
) -> None:
    """Put trained weights in force for one index.

    Args:
        place: where they are; they are copied.
        first: nothing of the same adaptation was installed before: undoing goes back to here.

    Raises:
        IndexLockedError: another process is writing the index; the same command goes on later.
        StorageError: no space; what was in force still is.
    """
    folder = workspace.index_folder(name)
    store = InstalledStore(folder)
    had = store.read()
    part = replace(part, installed=now())
    current: AdaptedPart | None = getattr(had, role)
    begun = current is not None and current.fingerprint == part.fingerprint
    if role == "embedder" and not begun:
        _keep_vectors(workspace.index(name), folder)
    with storage_errors(store.folder):
        store.folder.mkdir(exist_ok=True)
        target = store.folder / part.folder
        if not begun:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(place, target)
    if not begun:
        embedder, reranker = had.embedder, had.reranker
        store.install(
            Installed(part, reranker) if role == "embedder" else Installed(embedder, part),
            step=first,
        )
    if role == "embedder":
        _copy(WorkFolder(folder).path / VECTORS, folder / CACHE, part.fingerprint, _keys(folder))
        workspace.writer(name, on_progress).complete()
    store.tidy()


def undo(
    workspace: Workspace, name: str, on_progress: OnProgress = lambda progress: None
) -> Installed:
    """Go back to what was in force before the last adaptation; returns that.

    Raises:
        UsageError: nothing was installed.
        IndexLockedError: another process adapts, or writes the index; the record is back by then,
            and the next update of the index does the rest.
    """
    folder = workspace.index_folder(name)
    with adapting_lock(folder):
        store = InstalledStore(folder)
        back = store.undo()
        complete_embedder(workspace, name, on_progress)
        store.tidy()
    return back


def complete_embedder(workspace: Workspace, name: str, on_progress: OnProgress) -> bool:
    """Encode an index with the embedder that its record names, where its vectors are of another;
    returns whether there was something to do."""
    folder = workspace.index_folder(name)
    stage = read_manifest(folder).stages.get("dense")
    wanted = workspace.adapted.writing(folder).dense().fingerprint
    if stage is None or stage.fingerprint == wanted:
        return False
    _copy(folder / FOLDER / KEPT_VECTORS, folder / CACHE, wanted, _keys(folder))
    workspace.writer(name, on_progress).complete()
    return True


def _keep_vectors(index: Index, folder: Path) -> None:
    """Keep the vectors that undoing needs: it then encodes only what came since."""
    stage = index.manifest.stages.get("dense")
    if stage is None or index.dense is None:
        return
    (folder / FOLDER).mkdir(exist_ok=True)
    cache = EncodingCache(folder / FOLDER / KEPT_VECTORS)
    try:
        keys = keys_of(index.store)
        for first in range(0, len(keys), _BATCH):
            rows = range(first, min(first + _BATCH, len(keys)))
            vectors = index.dense.vectors(list(rows))
            packed = (pack_vector(vector) for vector in vectors)
            cache.put(stage.fingerprint, zip((keys[row] for row in rows), packed, strict=True))
    finally:
        cache.close()


def _copy(source: Path, target: Path, encoder: str, keys: Sequence[bytes]) -> None:
    """Copy the encodings of some texts by one encoder from cache to cache, where there are any."""
    if not source.is_file():
        return
    have, get = EncodingCache(source), EncodingCache(target)
    try:
        missing = have.missing(encoder, keys)
        present = [key for key in dict.fromkeys(keys) if key not in missing]
        for first in range(0, len(present), _BATCH):
            chunk = present[first : first + _BATCH]
            get.put(encoder, zip(chunk, have.results(encoder, chunk), strict=True))
    finally:
        have.close()
        get.close()


def _keys(folder: Path) -> list[bytes]:
    store = PassageStore(folder / read_manifest(folder).generation / STORE_FILE)
    try:
        return keys_of(store)
    finally:
        store.close()
