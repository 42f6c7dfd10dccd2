"""`assistant doctor`: checks everything; each finding with its remedy."""

from __future__ import annotations

import typer
from rich.markup import escape

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.output import console, write_json


def doctor(context: typer.Context, as_json: JsonFlag = False) -> int:
    """Check the installation: Python, disk, weights, indexes, conversations. Status 1 on errors."""
    from assistant.doctor import examine

    findings = examine(workspace(context))
    failed = any(finding.severity == "error" for finding in findings)
    if as_json:
        write_json({"ok": not failed, "findings": findings})
        return int(failed)
    marks = {"ok": "[green]ok[/green]  ", "note": "[blue]note[/blue]", "error": "[red]error[/red]"}
    for finding in findings:
        console().print(f"{marks[finding.severity]} {finding.check}: {escape(finding.message)}")
        if finding.remedy:
            console().print(f"     what to do: {escape(finding.remedy)}")
    return int(failed)
