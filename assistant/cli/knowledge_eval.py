"""`assistant eval knowledge`: recall with and without a knowledge store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.context import JsonFlag, LimitOption, workspace
from assistant.cli.knowledge import SlotsOption, TeacherOption, seconds_of
from assistant.cli.output import console, progress_bars, table, write_json
from assistant.errors import UsageError

if TYPE_CHECKING:
    from assistant.workspace import Workspace
    from eval.knowledge import Comparison, KnowledgeReport
    from indexes.progress import OnProgress


def knowledge(
    context: typer.Context,
    collection: Annotated[Path, typer.Argument(help="Folder in BEIR's layout.")],
    entries: Annotated[
        Path | None,
        typer.Option("--entries", help="A store to take: the knowledge.sqlite of another index."),
    ] = None,
    build: Annotated[bool, typer.Option("--build", help="Let the teacher write first.")] = False,
    budget: Annotated[
        str | None, typer.Option("--budget", help="For --build: stop after 90s, 30m, 2h.")
    ] = None,
    teacher: TeacherOption = "answerer",
    samples: Annotated[int, typer.Option("--n", min=1, max=8)] = 1,
    slots: SlotsOption = 4,
    weight: Annotated[
        float | None, typer.Option("--weight", min=0, max=1, help="Not that of the settings.")
    ] = None,
    limit: LimitOption = None,
    reachable: Annotated[
        bool, typer.Option("--reachable", help="Only queries about passages with entries.")
    ] = False,
    whole_weight: Annotated[
        bool, typer.Option("--whole-weight", help="Do not weigh a store less that covers little.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Recall@5 and nDCG@5 of the same search without and with the store; is it chance?

    Examples:

      assistant eval knowledge data/hotpotqa --build --budget 45m

      assistant eval knowledge data/hotpotqa --entries ~/indexes/hotpot/knowledge.sqlite
    """
    from eval.collections import load_collection
    from eval.knowledge import evaluate_knowledge, report_json
    from eval.retrieval import index_collection

    if entries is not None and build:
        raise UsageError("--entries and --build exclude each other", remedy="give one of them")
    seconds = seconds_of(budget)
    loaded = load_collection(collection)
    opened = workspace(context)
    with progress_bars(quiet=as_json) as on_progress:
        index = index_collection(opened, loaded, on_progress)
        name = index.manifest.name
        if entries is not None:
            _take(opened, name, entries, on_progress)
        elif build:
            _build(opened, name, teacher, samples, slots, seconds, on_progress)
        report = evaluate_knowledge(
            opened,
            loaded,
            opened.index(name),
            weight=weight,
            limit=limit,
            only_reachable=reachable,
            by_coverage=not whole_weight,
            on_progress=on_progress,
        )
    if as_json:
        write_json(report_json(report))
    else:
        _show(report)


def _take(opened: Workspace, name: str, file: Path, on_progress: OnProgress) -> None:
    """Use a copy of another index's store; entries of passages that are not here are left out."""
    from assistant.knowledge.filling import local_index
    from assistant.knowledge.following import adopt_store

    index = local_index(opened, name)
    adopt_store(index.folder, index.manifest, file, opened.encoders, on_progress)


def _build(
    opened: Workspace,
    name: str,
    teacher: str,
    samples: int,
    slots: int,
    seconds: float | None,
    on_progress: OnProgress,
) -> None:
    from assistant.knowledge.building import BuildOptions
    from assistant.knowledge.filling import fill
    from assistant.knowledge.teacher import Teacher
    from assistant.knowledge.teachers import teaching_model

    model, called = teaching_model(opened.settings, opened.models, teacher, slots)
    options = BuildOptions(seconds, None, samples, slots)
    fill(opened, name, Teacher(model, called), options, on_progress)


def _show(report: KnowledgeReport) -> None:
    out = console()
    out.print(
        f"{report.collection}: {report.queries} queries; {report.entries:,} entries for "
        f"{report.covered:,} of {report.passages:,} passages; weight {report.effective} "
        f"of {report.weight}"
    )
    columns = ("", "queries", "without", "with", "change", "from", "to", "p", "+", "−")
    rows = [("all", *_row(one)) for one in report.all_queries]
    rows += [("reachable", *_row(one)) for one in report.reachable_queries]
    out.print(table("", columns, rows))
    out.print(
        f"reachable: a relevant passage has an entry ({report.reachable} of {report.queries}); "
        "relevant from grade 1; from, to: 95 % of the change"
    )
    out.print(
        f"{1000 * report.seconds_without:.0f} ms a query without, "
        f"{1000 * report.seconds_with:.0f} ms with"
    )
    out.print(report.verdict)


def _row(one: Comparison) -> tuple[Any, ...]:
    low, high = one.interval
    return (
        f"{one.measure} {one.queries}",
        one.without,
        one.with_store,
        f"{one.difference:+.4f}",
        f"{low:+.4f}",
        f"{high:+.4f}",
        one.p,
        one.better,
        one.worse,
    )
