"""The command line. `main` is the console command `assistant`."""

from __future__ import annotations


def main() -> None:
    """Run the command line: every error a person can meet becomes a message and a status."""
    from assistant.cli.main import run

    raise SystemExit(run())
