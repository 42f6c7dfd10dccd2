"""`assistant knowledge`: questions with answers and statements, prepared for an index."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from assistant.cli import knowledge_entries
from assistant.cli.context import JsonFlag, workspace
from assistant.cli.knowledge_entries import Name, store_of, tier_named
from assistant.cli.output import (
    console,
    human_seconds,
    progress_bars,
    table,
    write_json,
)
from assistant.cli.running import JobOption, progress_of
from assistant.errors import UsageError
from assistant.knowledge.entries import TIERS

if TYPE_CHECKING:
    from assistant.knowledge.building import BuildReport

knowledge = typer.Typer(
    help="Questions, answers and statements that a teacher prepares for an index.",
    no_args_is_help=True,
)

TeacherOption = Annotated[
    str, typer.Option("--teacher", help="answerer, remote, a catalogue name, or FILE.gguf.")
]
SlotsOption = Annotated[
    int, typer.Option("--slots", min=1, max=32, help="Calls of the teacher at once.")
]
_BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@knowledge.command("build")
def build(
    context: typer.Context,
    name: Name,
    teacher: TeacherOption = "answerer",
    budget: Annotated[
        str | None, typer.Option("--budget", help="Stop after this time: 90s, 30m, 2h.")
    ] = None,
    passages: Annotated[
        int | None, typer.Option("--passages", min=1, help="Work on so many passages at most.")
    ] = None,
    samples: Annotated[
        int, typer.Option("--n", min=1, max=8, help="Answers to choose the best from.")
    ] = 2,
    questions: Annotated[
        int, typer.Option("--questions", min=0, max=5, help="Questions kept for a passage.")
    ] = 2,
    statements: Annotated[
        int, typer.Option("--statements", min=0, max=5, help="Statements kept for a passage.")
    ] = 1,
    logprobs: Annotated[
        int, typer.Option("--logprobs", min=0, max=64, help="Keep the K likeliest tokens.")
    ] = 0,
    style: Annotated[
        str, typer.Option("--style", help="plain, tuned (learns which way of asking pays), …")
    ] = "plain",
    slots: SlotsOption = 4,
    as_json: JsonFlag = False,
    job: JobOption = None,
) -> None:
    """Let a teacher write about the passages of an index, the most useful first.

    Stop it at any time: what is written stays, and the same command goes on.

    Examples:

      assistant knowledge build notes --budget 30m

      assistant knowledge build notes --teacher remote --passages 200 --n 4
    """
    from assistant.knowledge.building import BuildOptions
    from assistant.knowledge.filling import fill
    from assistant.knowledge.teacher import Teacher
    from assistant.knowledge.teachers import teaching_model

    seconds = seconds_of(budget)
    opened = workspace(context)
    opened.index(name)  # before the weights are loaded
    with progress_of(job, quiet=as_json) as on_progress:
        model, called = teaching_model(opened.settings, opened.models, teacher, slots)
        asked = Teacher(
            model, called, questions=questions, statements=statements, logprobs=logprobs
        )
        options = BuildOptions(seconds, passages, samples, slots, style)
        report = fill(opened, name, asked, options, on_progress)
    if as_json:
        write_json({"index": name, "teacher": called, **_report_json(report)})
    else:
        _show_report(name, report)


@knowledge.command("status")
def status(context: typer.Context, name: Name, as_json: JsonFlag = False) -> None:
    """How much is prepared, what failed and why, and whether it is searchable."""
    from assistant.knowledge.following import searchable_entries

    opened = workspace(context)
    store, manifest = store_of(opened, name), opened.index(name).manifest
    counts = store.counts()
    covered = counts.passages.get("done", 0)
    values = {
        "index": name,
        "passages": manifest.passages,
        "covered": covered,
        "entries": counts.entries,
        "searchable": searchable_entries(store.path.parent),
        "failed": counts.failed,
        "dropped": counts.dropped,
        "deleted": counts.deleted,
        "teachers": list(counts.teachers),
        "current": store.generation == manifest.generation,
    }
    if as_json:
        write_json(values)
        return
    out = console()
    out.print(f"{covered:,} of {manifest.passages:,} passages of '{escape(name)}' are covered")
    tiers = ", ".join(f"{count:,} {tier}" for tier, count in counts.entries.items())
    out.print(f"entries: {tiers}; {values['searchable']:,} searchable")
    for label, reasons in (("passages given up", counts.failed), ("dropped", counts.dropped)):
        if reasons:
            told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
            out.print(f"{label}: {told}", markup=False)
    if counts.teachers:
        out.print(f"by {', '.join(counts.teachers)}", markup=False)
    if not values["current"]:
        out.print(f"the index has changed since: assistant knowledge build {name}", markup=False)


knowledge.command("list")(knowledge_entries.list_entries)
knowledge.command("show")(knowledge_entries.show)
knowledge.command("approve")(knowledge_entries.approve)
knowledge.command("reject")(knowledge_entries.reject)
knowledge.command("correct")(knowledge_entries.correct)
knowledge.command("delete")(knowledge_entries.delete)


@knowledge.command("compare-styles")
def compare_styles(
    context: typer.Context,
    name: Name,
    passages: Annotated[int, typer.Option("--passages", min=2, help="How many to teach.")] = 20,
    teacher: TeacherOption = "answerer",
    samples: Annotated[int, typer.Option("--n", min=1, max=8)] = 1,
    styles: Annotated[
        list[str] | None, typer.Option("--style", help="What is compared; plain and tuned.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Quality and diversity of a plain and a tuned teacher on the same passages; keeps nothing.

    Example:

      assistant knowledge compare-styles notes --passages 20
    """
    from itertools import islice

    from assistant.knowledge.comparing import compare
    from assistant.knowledge.filling import encoder_of, local_index, order_of
    from assistant.knowledge.teacher import Teacher
    from assistant.knowledge.teachers import teaching_model

    opened = workspace(context)
    index = local_index(opened, name)
    rows = list(islice(order_of(opened, index, range(index.manifest.passages), ()), passages))
    model, called = teaching_model(opened.settings, opened.models, teacher, 1)
    with progress_bars(quiet=as_json) as on_progress:
        reports = compare(
            index.store.by_rows(rows),
            Teacher(model, called),
            encoder_of(opened),
            styles or ["plain", "tuned"],
            samples=samples,
            on_progress=on_progress,
        )
    if as_json:
        write_json({"index": name, "teacher": called, "passages": len(rows), "styles": reports})
        return
    columns = ("", "kept", "of", "log-likelihood", "grounding", "score", "distance", "distinct-2")
    body = [
        (
            *(r.name, r.kept, r.asked, _known(r.likelihood), r.grounding, r.score),
            *(_known(r.distance), r.distinct_2),
        )
        for r in reports
    ]
    console().print(table(f"{called} on {len(rows)} passages of {name}", columns, body))
    for report in reports:
        used = ", ".join(f"{style} {count}" for style, count in report.pulls.items())
        console().print(f"{report.name}: {used}; {report.failed} calls gave nothing", markup=False)


@knowledge.command("export")
def export(
    context: typer.Context,
    name: Name,
    squad: Annotated[Path, typer.Option("--squad", help="Write JSON lines as in SQuAD here.")],
    tier: Annotated[
        str | None, typer.Option("--tier", help=f"Only one of: {', '.join(TIERS)}.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Question–answer pairs whose answer stands in its passage, as training data.

    Example:

      assistant knowledge export notes --squad notes.jsonl
    """
    from assistant.knowledge.examples import export_squad
    from assistant.knowledge.filling import local_index

    opened = workspace(context)
    if not squad.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {squad.absolute().parent}", remedy="make it first")
    entries = store_of(opened, name).entries(tier_named(tier))
    done = export_squad(entries, local_index(opened, name).store, squad)
    if as_json:
        write_json({"file": squad, "rows": done.rows, "left_out": dict(done.left_out)})
        return
    console().print(f"{done.rows:,} rows written to {squad}", markup=False)
    for reason, count in done.left_out.items():
        console().print(f"left out: {count:,} {reason}", markup=False)


# -- helpers --------------------------------------------------------------------------------


def seconds_of(budget: str | None) -> float | None:
    """`30m` → 1800.0.

    Raises:
        UsageError: it is no such time.
    """
    if budget is None:
        return None
    match = _BUDGET.fullmatch(budget.strip().lower())
    if match is None:
        raise UsageError(f"'{budget}' is no time", remedy="a number with s, m or h: 90s, 30m, 2h")
    return float(match.group(1)) * _SECONDS[match.group(2)]


def _report_json(report: BuildReport) -> dict[str, Any]:
    # `asdict` makes a new Counter of pairs, which counts the pairs.
    values: dict[str, Any] = {f.name: getattr(report, f.name) for f in dataclasses.fields(report)}
    values["passages_per_minute"] = round(_rate(report), 2)
    return values


def _rate(report: BuildReport) -> float:
    done = report.passages + report.given_up
    return 60 * done / report.seconds if report.seconds else 0.0


def _show_report(name: str, report: BuildReport) -> None:
    out = console()
    out.print(
        f"{report.entries:,} entries for {report.passages:,} passages in "
        f"{human_seconds(report.seconds)} ({_rate(report):.1f} passages a minute); "
        f"{report.covered:,} of {report.total:,} passages are covered"
    )
    rows = [("no output", reason, count) for reason, count in report.failed.items()]
    rows += [("not kept", reason, count) for reason, count in report.dropped.items()]
    if rows:
        out.print(table("", ("", "why", "times"), rows))
    if report.stopped:
        out.print(f"stopped: {report.stopped}")
    if report.left:
        done = _rate(report)
        rest = f", about {human_seconds(60 * report.left / done)}" if done else ""
        out.print(f"{report.left:,} passages are left{rest}: assistant knowledge build {name}")


def _known(value: float | None) -> float | str:
    return "–" if value is None else value
