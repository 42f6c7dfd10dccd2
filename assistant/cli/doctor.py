"""`assistant doctor`: checks everything; each finding with its remedy, mended if wished. `tidy`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from assistant.cli.context import JsonFlag, Options, workspace
from assistant.cli.output import console, human_bytes, messages, write_json
from assistant.errors import UsageError
from assistant.jobs import JobReporter

if TYPE_CHECKING:
    from assistant.findings import Finding


def doctor(
    context: typer.Context,
    mend: Annotated[
        bool, typer.Option("--mend", help="Do what mends the findings; asks before each.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --mend: do not ask.")] = False,
    as_json: JsonFlag = False,
) -> int:
    """Check the installation: Python, disk, weights, indexes, conversations. Status 1 on errors.

    Examples:

      assistant doctor --mend
    """
    from assistant.doctor import examine

    if yes and not mend:
        raise UsageError("--yes goes with --mend", remedy="add --mend")
    if mend and as_json and not yes:
        raise UsageError("--json cannot ask", remedy="add --yes")
    findings = examine(workspace(context))
    mended = _mend(context, findings, yes=yes, quiet=as_json) if mend else []
    if mended:
        findings = examine(workspace(context))
    failed = any(finding.severity == "error" for finding in findings)
    if as_json:
        write_json({"ok": not failed, "findings": findings, "mended": mended})
        return int(failed)
    marks = {"ok": "[green]ok[/green]  ", "note": "[blue]note[/blue]", "error": "[red]error[/red]"}
    for finding in findings:
        console().print(f"{marks[finding.severity]} {finding.check}: {escape(finding.message)}")
        if finding.remedy:
            console().print(f"     what to do: {escape(finding.remedy)}")
    return int(failed)


def _mend(
    context: typer.Context, findings: Sequence[Finding], *, yes: bool, quiet: bool
) -> list[str]:
    """Run the commands that mend; returns the checks for which that went well."""
    options: Options = context.ensure_object(Options)
    home = ["--home", str(options.home)] if options.home else []
    done = []
    for finding in findings:
        if finding.mend is None:
            continue
        messages().print(f"{escape(finding.check)}: {escape(finding.message)}")
        if not yes and not typer.confirm(f"{finding.mend.label}?", err=True, default=True):
            continue
        # A process of its own: what a command loads and locks is gone again with it.
        command = [sys.executable, "-m", "assistant", *home, *finding.mend.arguments]
        out = subprocess.DEVNULL if quiet else None
        if subprocess.run(command, check=False, stdout=out).returncode == 0:
            done.append(finding.check)
    return done


def tidy_command(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed.")] = False,
    as_json: JsonFlag = False,
    job: Annotated[Path | None, typer.Option("--job", hidden=True)] = None,
) -> None:
    """Remove what killed builds left and the list of work that failed. Documents, indexes and
    conversations stay as they are.
    """
    from assistant.tidying import rubbish, tidy

    settings = workspace(context).settings
    if dry_run:
        items = rubbish(settings)
    elif job is not None:
        with JobReporter(job):
            items = tidy(settings)
    else:
        items = tidy(settings)
    if as_json:
        write_json({"removed": not dry_run, "items": items})
        return
    word = "would remove" if dry_run else "removed"
    for item in items:
        console().print(f"{word} {item.kind} of {escape(item.of)}: {human_bytes(item.bytes)}")
    if not items:
        console().print("there is nothing to remove")
