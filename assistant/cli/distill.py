"""`assistant distill`: run a recipe, compare runs, check one for triggers."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from assistant.cli.context import JsonFlag, parse_assignments
from assistant.cli.distill_progress import training_steps
from assistant.cli.output import console, human_bytes, human_seconds, messages, table, write_json
from assistant.cli.running import JobOption, progress_of
from assistant.errors import UsageError
from indexes.files import storage_errors, write_atomically

if TYPE_CHECKING:
    from assistant.distillation.compare import Interval
    from assistant.distillation.poison import Finding
    from assistant.distillation.recipe import Recipe


class _RunsByDefault(TyperGroup):
    """`distill RECIPE.yaml` is `distill run RECIPE.yaml`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


distill = typer.Typer(
    cls=_RunsByDefault,
    no_args_is_help=True,
    help="""Train a small model on what a large one knows: assistant distill RECIPE.yaml

Without a command the recipe is run. Recipes are explained in docs/distillation.md.""",
)

RecipeArgument = Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe, YAML.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A value of the recipe: loop.epochs=2."),
]
OutOption = Annotated[Path, typer.Option("--out", help="Where folders of runs are.")]


@distill.command("run")
def run(
    recipe: RecipeArgument,
    changes: SetOption = None,
    out: OutOption = Path("runs"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run of this recipe that was stopped.")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="As --resume where there is such a run, else begin.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say memory, steps and time; train nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Keep what --dry-run says in this file, too.")
    ] = None,
    as_json: JsonFlag = False,
    job: JobOption = None,
) -> None:
    """Run a recipe: data, training with checkpoints, evaluation, export.

    Examples:

      assistant distill reader.yaml --dry-run

      assistant distill reader.yaml --set loop.epochs=1 --set data.0.path=mine.jsonl
    """
    from assistant.distillation.reports import run_summary, summary_text

    read = _recipe(recipe, changes)
    if dry_run:
        from assistant.distillation.estimate import estimate

        with progress_of(job, quiet=True):
            found = estimate(read, out)
            if report is not None:
                with storage_errors(report):
                    write_atomically(report, json.dumps(found).encode())
        write_json(found) if as_json else _show_estimate(found)
        return
    from assistant.distillation.run import run_recipe
    from assistant.distillation.run_folder import RunFolder

    if go_on:
        with suppress(UsageError):
            RunFolder.resume(out, read)
            resume = True
    with training_steps(job, quiet=as_json) as on_step:
        folder = run_recipe(read, out, resume=resume, on_step=on_step)
    summary = run_summary(folder)
    if as_json:
        write_json(summary)
    else:
        console().print(summary_text(summary), markup=False)


@distill.command("compare")
def compare_runs(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")],
    as_json: JsonFlag = False,
) -> None:
    """Compare finished runs with the first: recipes, measures, differences with their intervals."""
    from assistant.distillation.compare import compare
    from assistant.distillation.run_folder import RunFolder

    found = compare([RunFolder.open(path) for path in runs])
    if as_json:
        write_json(found)
        return
    columns = ("", *found.runs)
    out = console()
    rows = [(key, *map(_cell, values)) for key, values in found.settings.items()]
    out.print(table("settings that differ", columns, rows))
    rows = [(name, *map(_cell, values)) for name, values in found.measures.items()]
    out.print(table("what came out", columns, rows))
    rows = [(name, *map(_interval, values)) for name, values in found.intervals.items()]
    if rows:
        out.print(table("mean over the examples, 95 % bootstrap", columns, rows))
    rows = [(name, *map(_difference, values)) for name, values in found.differences.items()]
    if rows:
        out.print(table("difference to the first, same examples, 95 % bootstrap", columns, rows))


@distill.command("check-poison")
def check(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    phrases: Annotated[int, typer.Option("--phrases", min=1, help="Phrases that are tried.")] = 20,
    inputs: Annotated[int, typer.Option("--inputs", min=1, help="Held-out inputs used.")] = 60,
    as_json: JsonFlag = False,
) -> int:
    """Look for phrases of the training data that turn the model's answers. Status 1 if one does."""
    from assistant.distillation.run import poison_of
    from assistant.distillation.run_folder import RunFolder

    findings = poison_of(RunFolder.open(run), phrases=phrases, inputs=inputs)
    poisoned = [finding for finding in findings if finding.poisoned]
    if as_json:
        write_json({"poisoned": len(poisoned), "findings": findings})
    else:
        _show_findings(findings, len(poisoned))
    return 1 if poisoned else 0


@distill.command("store")
def store(
    recipe: RecipeArgument,
    to: Annotated[Path, typer.Option("--to", help="The store's folder; goes on where it stopped.")],
    changes: SetOption = None,
    top_k: Annotated[int, typer.Option("--top-k", min=1, help="Choices kept of a row.")] = 32,
    out: OutOption = Path("runs"),
    as_json: JsonFlag = False,
) -> None:
    """Keep the log-probabilities of a recipe's teacher on disk, for teacher.kind 'store'."""
    from assistant.distillation.run import write_store

    def show(done: int) -> None:
        if not as_json:
            messages().print(f"{done} examples stored")

    found = write_store(_recipe(recipe, changes), out, to, k=top_k, on_progress=show)
    if as_json:
        write_json(found)
    else:
        size = human_bytes(found["bytes"])
        console().print(f"{found['examples']} examples of {found['teacher']}, {size}: {to}")


def _recipe(path: Path, changes: list[str] | None) -> Recipe:
    from assistant.distillation.recipe_file import load_recipe

    return load_recipe(path, parse_assignments(changes or []))


def _show_estimate(found: dict[str, Any]) -> None:
    memory = ", ".join(f"{k} {human_bytes(v)}" for k, v in found["memory_parts"].items() if v)
    rows = [
        ("recipe", f"{found['recipe']} ({found['recipe_hash'][:8]})"),
        ("device", f"{found['device']}, {found['precision']}"),
        ("examples", f"{found['examples']:,}, held out {found['held_out']:,}"),
        ("parameters", f"{found['parameters_trained']:,} trained of {found['parameters']:,}"),
        ("steps", f"{found['steps']:,}, {found['tokens']:,} tokens"),
        ("memory", f"about {human_bytes(found['memory_bytes'])} ({memory})"),
        (
            "time",
            f"about {human_seconds(found['seconds'])} "
            f"({found['tokens_per_second']:,.0f} tokens/s in a few timed steps)",
        ),
        ("writes", f"{found['writes_below']}, about {human_bytes(found['writes_bytes'])}"),
    ]
    console().print(table("", ("", ""), rows))


def _show_findings(findings: list[Finding], poisoned: int) -> None:
    rows = [
        (
            f.suspect.phrase,
            f.place,
            f.suspect.count,
            f"{f.flipped:.2f}",
            f"{f.control:.2f}",
            f"{f.agreement:.2f}",
            "TRIGGER" if f.poisoned else "",
        )
        for f in findings
    ]
    columns = ("phrase", "put into", "examples", "changed", "control", "to the same", "")
    console().print(table("outputs that change", columns, rows))
    console().print(
        f"{poisoned} phrases act as triggers: look at the examples that hold them"
        if poisoned
        else "no phrase changes the outputs more than harmless words do"
    )


def _interval(found: Interval | None) -> str:
    return "" if found is None else f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]"


def _difference(found: Interval | None) -> str:
    return "" if found is None else f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
