"""`assistant distill adapt`: reranker and embedder, adapted to one index."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape

from assistant.cli.adapt_progress import stages_of
from assistant.cli.adapt_views import show_plan, show_report, show_status
from assistant.cli.context import JsonFlag, workspace
from assistant.cli.distill_data import distill as distill  # its commands here are registered
from assistant.cli.knowledge import seconds_of
from assistant.cli.output import console, write_json
from assistant.cli.running import JobOption, progress_of
from assistant.errors import KnowledgeAssistantError, UsageError
from assistant.workspace import Workspace

_SHORTEST = 60.0  # seconds of a budget that can be divided


@distill.command("adapt")
def adapt(
    context: typer.Context,
    index: Annotated[
        str | None, typer.Argument(help="The index; with --status it may be left out.")
    ] = None,
    budget: Annotated[str, typer.Option("--budget", help="Time for all of it: 10m, 1h.")] = "1h",
    only: Annotated[
        str | None, typer.Option("--only", help="reranker or embedder; both if left out.")
    ] = None,
    teacher: Annotated[
        str,
        typer.Option(
            "--teacher",
            help="Who writes questions where some are missing: auto (the answerer, if installed), "
            "none, remote, a catalogue name, or FILE.gguf.",
        ),
    ] = "auto",
    seed: Annotated[int, typer.Option("--seed", help="Of all that is drawn.")] = 0,
    also: Annotated[
        Path | None,
        typer.Option(
            "--also",
            help="Judged queries (BEIR's layout) measured before and after; they decide nothing.",
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Go back to what was before the last time.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", "--list", help="What is adapted, with its measures.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    as_json: JsonFlag = False,
    job: JobOption = None,
) -> None:
    """Adapt reranker and embedder to an index; install only what is measurably better.

    Stop it at any time: the same command goes on. docs/adapting.md says what is done and measured.

    Examples:

      assistant distill adapt notes --budget 1h

      assistant distill adapt notes --undo
    """
    if undo + status + dry_run > 1:
        raise UsageError("--undo, --status and --dry-run exclude each other")
    opened = workspace(context)
    if status:
        _status(opened, index, as_json=as_json)
        return
    if index is None:
        raise UsageError("no index given", remedy="assistant distill adapt INDEX")
    if undo:
        _undo(opened, index, as_json=as_json, job=job)
        return
    from assistant.adapting.judging import Asked

    asked = Asked(_seconds(budget), _role(only), teacher, seed)
    if dry_run:
        _plan(opened, index, asked, as_json=as_json, job=job)
        return
    report = _run(opened, index, asked, also, as_json=as_json, job=job)
    write_json(report) if as_json else show_report(report)


def _plan(opened: Workspace, name: str, asked: Any, *, as_json: bool, job: Path | None) -> None:
    from assistant.jobs import JobReporter
    from eval.adapting import planned

    with progress_of(job, quiet=as_json) as on_progress:
        try:
            found = planned(opened, name, asked, on_progress)
        except KnowledgeAssistantError as error:
            if not isinstance(on_progress, JobReporter):
                raise
            # That it cannot be done is what the page asked for, and no failed work.
            why = {"message": error.message, "remedy": error.remedy}
            on_progress.result({"index": name, "refused": why})
            return
        if isinstance(on_progress, JobReporter):
            on_progress.result(found)
    write_json(found) if as_json else show_plan(found)


def _run(
    opened: Workspace, name: str, asked: Any, also: Path | None, *, as_json: bool, job: Path | None
) -> dict[str, Any]:
    from assistant.adapting.flow import Adaptation
    from assistant.jobs import JobReporter
    from assistant.knowledge.teachers import teaching_model
    from eval.adapting import SearchJudge, judged_queries, kept_questions

    found = opened.index(name)
    with stages_of(job, quiet=as_json) as on_progress:
        judge = SearchJudge(
            opened.settings.retrieval,
            kept_questions(opened.settings.own_folder, found, name),
            judged_queries(also, found) if also is not None else None,
            on_progress,
        )
        adaptation = Adaptation(
            opened,
            name,
            asked,
            judge=judge,
            teaching=lambda wanted: teaching_model(opened.settings, opened.models, wanted, 2),
            on_progress=on_progress,
        )
        report = adaptation.run()
        if isinstance(on_progress, JobReporter):
            on_progress.result(report)
    return report


def _undo(opened: Workspace, name: str, *, as_json: bool, job: Path | None) -> None:
    from assistant.adapting.swapping import undo

    opened.index(name)  # names the nearest index if there is none of this name
    with progress_of(job, quiet=as_json) as on_progress:
        back = undo(opened, name, on_progress)
    left = {
        role: part.folder if part is not None else None
        for role, part in (("embedder", back.embedder), ("reranker", back.reranker))
    }
    if as_json:
        write_json({"index": name, "undone": True, "in_force": left})
        return
    said = ", ".join(f"{role} {folder}" for role, folder in left.items() if folder)
    console().print(
        f"undone; in force for '{escape(name)}': {escape(said or 'the common weights')}"
    )


def _status(opened: Workspace, name: str | None, *, as_json: bool) -> None:
    from assistant.adapting.looking import look

    names = [name] if name is not None else [manifest.name for manifest in opened.indexes()]
    found = [look(opened, one) for one in names]
    if name is None:
        found = [one for one in found if one["installed"] or one["under_way"]]
    write_json({"indexes": found}) if as_json else show_status(found)


def _seconds(budget: str) -> float:
    seconds = seconds_of(budget)
    if seconds is None or seconds < _SHORTEST:
        raise UsageError(f"a budget of {budget} is too short", remedy="give at least 1m")
    return seconds


def _role(only: str | None) -> Literal["embedder", "reranker"] | None:
    if only == "reranker":
        return "reranker"
    if only == "embedder":
        return "embedder"
    if only is None:
        return None
    raise UsageError(f"--only {only}: there is no such part", remedy="give reranker or embedder")
