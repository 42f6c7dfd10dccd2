"""What a killed writer leaves beside a published index.

A staging folder is of use: the next build goes on from it. The rest is not, and may hold text of
documents that were deleted: generations that nobody opens any more, structures that were never
finished or that another encoder made.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from indexes.manifest import Manifest

STAGING = "staging"
_LOCK = "writer.lock"


def leftovers(folder: Path, manifest: Manifest) -> list[Path]:
    """What lies in an index's folder, is named by nobody and is of no use, in a stable order."""
    place = folder / manifest.generation
    named = {name.partition("/")[0] for s in manifest.stages.values() for name in s.files}
    structures = [*place.glob("lexical"), *place.glob("dense-*"), *place.glob("sparse-*")]
    return sorted(
        {
            *(path for path in folder.glob("g[0-9]*") if path != place),
            *folder.glob("*.partial"),
            *folder.glob("leftover.sqlite*"),
            *place.glob("*.partial"),
            *(path for path in structures if path.name not in named),
        }
    )


def remove(paths: list[Path]) -> None:
    """Remove files and folders; what is gone already is no error."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def is_being_written(folder: Path) -> bool:
    """Whether a live process holds the writer's lock of the index in `folder`."""
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False
