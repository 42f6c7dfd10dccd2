"""`assistant index verify`, `repair` and `update --watch`: keeping an index sound and current."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.index_views import result_json, show_result
from assistant.cli.output import console, messages, progress_bars, write_json
from assistant.errors import KnowledgeAssistantError, UsageError
from assistant.workspace import Workspace
from indexes.corpora import open_source
from indexes.manifest import read_manifest
from indexes.postgres.index import has_engine, read_engine
from indexes.postgres.verifying import verify_postgres
from indexes.upkeep.verify import Finding, verify

Name = Annotated[str, typer.Argument(help="The index's name.")]


def verify_index(context: typer.Context, name: Name, as_json: JsonFlag = False) -> int:
    """Check files, counts, spans, the cache and a sample of encodings. Changes nothing.

    Exit status 1 if something is wrong; `assistant index repair` mends it.
    """
    opened = workspace(context)
    folder = opened.index_folder(name)
    if has_engine(folder):
        findings = verify_postgres(read_engine(folder), name, opened.encoders)
    else:
        findings = [*verify(folder, opened.encoders), *_graph(folder)]
    ok = all(finding.ok for finding in findings)
    if as_json:
        write_json({"index": name, "ok": ok, "findings": findings})
    else:
        _show(findings)
    return 0 if ok else 1


def repair_index(context: typer.Context, name: Name, as_json: JsonFlag = False) -> int:
    """Mend what is damaged: from the stored documents where they are intact, else from the sources.

    Says what it found, did and could not bring back. Exit status 1 if something is still wrong.
    """
    opened = workspace(context)
    folder = opened.index_folder(name)
    if has_engine(folder):
        raise UsageError(
            f"index '{name}' lies on a server, whose backups and checks keep it sound",
            remedy=f"what is missing in it is completed by: assistant index update {name}",
        )
    with progress_bars(quiet=as_json) as on_progress:
        repaired = opened.writer(name, on_progress).repair(open_source)
    after = [*repaired.after, *_graph(folder)]
    ok = all(finding.ok for finding in after)
    if as_json:
        write_json(
            {
                "index": name,
                "ok": ok,
                "before": repaired.before,
                "done": repaired.done,
                "lost": repaired.lost,
                "encoded": repaired.encoded,
                "after": after,
            }
        )
        return 0 if ok else 1
    out = console()
    wrong = [finding for finding in repaired.before if not finding.ok]
    for finding in wrong:
        out.print(f"[red]was wrong[/red] {finding.check}: {escape(finding.message)}")
    for done in repaired.done:
        out.print(f"[green]done[/green] {escape(done)}")
    for lost in repaired.lost:
        out.print(f"[yellow]lost[/yellow] {escape(lost)}")
    if not wrong and not repaired.done:
        out.print("nothing was wrong")
    _show(finding for finding in after if not finding.ok)
    return 0 if ok else 1


def watch(opened: Workspace, name: str, every: float | None, *, as_json: bool) -> None:
    """Follow the folders of an index until Ctrl-C; with `as_json` one object a line."""
    from indexes.upkeep.watching import Failed, FolderChanges, Updated, follow, watched_path

    specs = opened.index(name).manifest.sources
    paths = {spec: watched_path(spec) for spec in specs}
    for spec, path in paths.items():
        if path is None:
            messages().print(f"{escape(spec)} tells of no changes; it is read at each update")
    watched = [path for path in paths.values() if path is not None]
    writer = opened.writer(name)
    with FolderChanges(watched, ignore=opened.settings.home, every=every) as changes:
        how = "looking at" if changes.polls else "watching"
        messages().print(f"{how} {len(watched)} places; stop with Ctrl-C")
        for happened in follow(lambda: writer.update(open_source), changes):
            if isinstance(happened, Updated):
                if as_json:
                    write_json(result_json(happened.result))
                elif happened.result.changes or happened.result.encoded:
                    show_result(happened.result)
            elif isinstance(happened, Failed):
                if as_json:
                    write_json({"error": happened.message, "remedy": happened.remedy})
                else:
                    messages().print(f"[red]error:[/red] {escape(happened.message)}")
                    if happened.remedy:
                        messages().print(f"[dim]what to do:[/dim] {escape(happened.remedy)}")
            else:
                messages().print("another process is writing this index; waiting for it")


def _graph(folder: Path) -> Iterable[Finding]:
    from assistant.thoughts.persistent.companion import check_graph

    try:
        manifest = read_manifest(folder)
    except KnowledgeAssistantError:
        return []  # said already; a graph cannot be compared with what is not known
    return check_graph(folder, manifest)


def _show(findings: Iterable[Finding]) -> None:
    for finding in findings:
        mark = "[green]ok[/green]   " if finding.ok else "[red]wrong[/red]"
        console().print(f"{mark} {finding.check}: {escape(finding.message)}")
        if finding.remedy:
            console().print(f"      what to do: {escape(finding.remedy)}")
