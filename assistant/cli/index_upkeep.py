"""`assistant index verify`, `repair` and `update --watch`: keeping an index sound and current."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.index_changes import JobFolder, patiently
from assistant.cli.index_views import result_json, show_result
from assistant.cli.output import console, messages, progress_bars, write_json
from assistant.errors import KnowledgeAssistantError, UsageError
from assistant.jobs import JobReporter
from assistant.watches import Diary
from assistant.workspace import Workspace
from indexes.corpora import open_source
from indexes.encoders import Encoders
from indexes.manifest import read_manifest
from indexes.postgres.index import has_engine, read_engine
from indexes.postgres.verifying import verify_postgres
from indexes.progress import Progress
from indexes.upkeep.verify import Finding, verify

Name = Annotated[str, typer.Argument(help="The index's name.")]


def verify_index(
    context: typer.Context, name: Name, as_json: JsonFlag = False, job: JobFolder = None
) -> int:
    """Check files, counts, spans, the cache and a sample of encodings. Changes nothing.

    Exit status 1 if something is wrong; `assistant index repair` mends it.
    """
    opened = workspace(context)
    folder = opened.index_folder(name)
    with JobReporter(job) if job is not None else nullcontext() as report:
        if report is not None:
            report(Progress("reading every file of it", 0, None, "", 0.0))
        if has_engine(folder):
            findings = verify_postgres(read_engine(folder), name, opened.encoders)
        else:
            own = opened.adapted.writing(folder)
            findings = [*verify(folder, own), *_companions(folder, opened.encoders)]
        ok = all(finding.ok for finding in findings)
        values = {"index": name, "ok": ok, "findings": findings}
        if report is not None:
            report.result(values)
    if as_json:
        write_json(values)
    else:
        _show(findings)
    return 0 if ok else 1


def repair_index(
    context: typer.Context, name: Name, as_json: JsonFlag = False, job: JobFolder = None
) -> int:
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
    with ExitStack() as stack:
        on_progress = stack.enter_context(progress_bars(quiet=as_json or job is not None))
        if job is not None:
            on_progress = report = stack.enter_context(JobReporter(job))
        writer = opened.writer(name, on_progress)
        if job is None:
            repaired = writer.repair(open_source)
        else:
            repaired = patiently(lambda: writer.repair(open_source), report)
        after = [*repaired.after, *_companions(folder, opened.encoders)]
        ok = all(finding.ok for finding in after)
        values = {
            "index": name,
            "ok": ok,
            "before": repaired.before,
            "done": repaired.done,
            "lost": repaired.lost,
            "encoded": repaired.encoded,
            "after": after,
        }
        if job is not None:
            report.result(values)
    if as_json:
        write_json(values)
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


def watch(
    opened: Workspace, name: str, every: float | None, job: Path | None, *, as_json: bool
) -> None:
    """Follow the folders of an index until Ctrl-C; with `as_json` one object a line."""
    from indexes.upkeep.watching import Failed, FolderChanges, Updated, follow, watched_path

    specs = opened.index(name).manifest.sources
    paths = {spec: watched_path(spec) for spec in specs}
    for spec, path in paths.items():
        if path is None:
            messages().print(f"{escape(spec)} tells of no changes; it is read at each update")
    watched = [path for path in paths.values() if path is not None]
    writer = opened.writer(name)
    with ExitStack() as stack:
        diary = Diary(name, stack.enter_context(JobReporter(job)) if job is not None else None)
        if job is not None:
            # Being told to stop is how a watch in the background ends well.
            stack.enter_context(suppress(KeyboardInterrupt))
        changes = stack.enter_context(
            FolderChanges(watched, ignore=opened.settings.home, every=every)
        )
        how = "looking at" if changes.polls else "watching"
        messages().print(f"{how} {len(watched)} places; stop with Ctrl-C")
        diary.began(len(watched), polls=changes.polls)
        for happened in follow(lambda: writer.update(open_source), changes):
            if isinstance(happened, Updated):
                diary.updated(result_json(happened.result))
                if as_json:
                    write_json(result_json(happened.result))
                elif happened.result.changes or happened.result.encoded:
                    show_result(happened.result)
            elif isinstance(happened, Failed):
                diary.failed(happened.message, happened.remedy)
                if as_json:
                    write_json({"error": happened.message, "remedy": happened.remedy})
                else:
                    messages().print(f"[red]error:[/red] {escape(happened.message)}")
                    if happened.remedy:
                        messages().print(f"[dim]what to do:[/dim] {escape(happened.remedy)}")
            else:
                messages().print("another process is writing this index; waiting for it")


def _companions(folder: Path, encoders: Encoders) -> Iterable[Finding]:
    from assistant.knowledge.checking import check_knowledge
    from assistant.thoughts.persistent.companion import check_graph

    try:
        manifest = read_manifest(folder)
    except KnowledgeAssistantError:
        return []  # said already; what follows it cannot be compared with what is not known
    return (*check_graph(folder, manifest), *check_knowledge(folder, manifest, encoders))


def _show(findings: Iterable[Finding]) -> None:
    for finding in findings:
        mark = "[green]ok[/green]   " if finding.ok else "[red]wrong[/red]"
        console().print(f"{mark} {finding.check}: {escape(finding.message)}")
        if finding.remedy:
            console().print(f"      what to do: {escape(finding.remedy)}")
