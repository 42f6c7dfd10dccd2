"""What lies in the home folder and is of no use any more: what killed writers left, old work.

Nothing here is a document, an index, a conversation or a wish of the person.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.errors import KnowledgeAssistantError
from assistant.jobs import Jobs
from assistant.settings import Settings
from indexes.files import storage_errors
from indexes.locking import writer_lock
from indexes.manifest import read_manifest
from indexes.postgres.index import has_engine
from indexes.upkeep.leftovers import is_being_written, leftovers, remove
from indexes.usage import folder_size

_log = logging.getLogger(__name__)

Kind = Literal["leftover", "work"]


@dataclass(frozen=True, slots=True)
class Rubbish:
    """Something that can go.

    Attributes:
        kind: `leftover` of a writer that was killed; `work` that ended and is still listed.
        of: the index, or the title of the work.
        paths: what would be removed.
        bytes: how much that frees.
    """

    kind: Kind
    of: str
    paths: tuple[Path, ...]
    bytes: int


def rubbish(settings: Settings) -> list[Rubbish]:
    """What could be removed now; indexes that are being written are left out."""
    return [*_leftovers(settings), *_ended_work(settings)]


def tidy(settings: Settings) -> list[Rubbish]:
    """Remove it; returns what was removed.

    Raises:
        StorageError: something cannot be removed.
    """
    removed = []
    jobs = Jobs(settings.jobs_folder, settings.home)
    for item in rubbish(settings):
        with storage_errors(settings.home):
            if item.kind == "work":
                for path in item.paths:
                    jobs.forget(path.name)
            else:
                # A build may have begun meanwhile; what it has staged is not rubbish.
                folder = settings.indexes_folder / item.of
                with writer_lock(folder):
                    remove(leftovers(folder, read_manifest(folder)))
        _log.info("removed: %s of %s, %d bytes", item.kind, item.of, item.bytes)
        removed.append(item)
    return removed


def _leftovers(settings: Settings) -> Iterator[Rubbish]:
    for folder in sorted(settings.indexes_folder.iterdir()):
        if not folder.is_dir() or has_engine(folder) or is_being_written(folder):
            continue
        try:
            paths = leftovers(folder, read_manifest(folder))
        except KnowledgeAssistantError:
            continue  # a damaged index keeps everything: it may be mended from there
        if paths:
            size = sum(folder_size(p) if p.is_dir() else p.stat().st_size for p in paths)
            yield Rubbish("leftover", folder.name, tuple(paths), size)


def _ended_work(settings: Settings) -> Iterator[Rubbish]:
    """Work that failed or was stopped. What it did so far is not here and stays."""
    jobs = Jobs(settings.jobs_folder, settings.home)
    for job in jobs.list():
        if job.state == "failed" and not job.title.startswith("watch "):
            folder = settings.jobs_folder / job.id
            yield Rubbish("work", job.title, (folder,), folder_size(folder))
