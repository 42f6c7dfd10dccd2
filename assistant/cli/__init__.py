"""The command line. `main` is the console command `assistant`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line: every error a person can meet becomes a message and a status."""
    from assistant.cli.main import run
    from assistant.warming import is_warming_up

    status = run()
    sys.stdout.flush()
    sys.stderr.flush()
    if is_warming_up():
        # Weights are still being loaded in native code, which crashes when the interpreter is
        # taken down around it. Everything that matters is on the disk.
        os._exit(status)
    raise SystemExit(status)
