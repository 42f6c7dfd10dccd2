"""`assistant index`: build, update, delete, status, search; `index_upkeep` has the rest."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer
from rich.markup import escape

from assistant.adapting.work import not_adapted_meanwhile
from assistant.cli import postgres
from assistant.cli.context import JsonFlag, workspace
from assistant.cli.explain import explained_search
from assistant.cli.index_changes import JobFolder, patiently, plan_change, run_change
from assistant.cli.index_documents import list_documents, read_documents
from assistant.cli.index_upkeep import repair_index, verify_index, watch
from assistant.cli.index_views import (
    graph_in_words,
    search_json,
    show_failures,
    show_hits,
    status_row,
)
from assistant.cli.only import OnlyOption, filter_of
from assistant.cli.output import console, human_bytes, table, write_json
from assistant.errors import UsageError
from assistant.jobs import JobReporter
from assistant.watches import watches
from assistant.workspace import Workspace
from indexes.corpora import open_source
from indexes.fusion import FUSIONS
from indexes.manifest import read_remains
from indexes.postgres.index import has_engine

index = typer.Typer(help="Build, change, search and check indexes.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The index's name.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")]
Extract = Annotated[
    str | None,
    typer.Option(
        "--extract",
        help="The graph of the index: auto (by rules where the parser is installed), rules, model "
        "or off (leave it as it is).",
    ),
]
_COLUMNS = ("name", "documents", "passages", "state", "graph", "size", "updated")


@index.command("build")
def build(
    context: typer.Context,
    name: Name,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help="FOLDER, FILE, URL, beir:FOLDER, trec:FILE, packages or packages:NAME,NAME. "
            "May be given several times.",
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what is there and encode everything again.")
    ] = False,
    put_back: Annotated[
        list[str] | None,
        typer.Option("--put-back", help="A document that was deleted from NAME, to be read again."),
    ] = None,
    extract: Extract = None,
    engine: postgres.EngineOption = None,
    dry_run: DryRun = False,
    as_json: JsonFlag = False,
    job: JobFolder = None,
) -> None:
    """Make NAME hold exactly the documents of the sources. Goes on where a killed build stopped.

    Examples:

      assistant index build notes --from ~/Documents/notes --from ~/papers

      assistant index build scifact --from beir:data/scifact
    """
    opened = workspace(context, thoughts__graph=extract)
    if engine:
        postgres.attach(opened, name, engine)
    specs = source or _known_sources(opened, name)
    sources = [open_source(spec) for spec in specs]
    if dry_run:
        plan_change(opened, name, sources, job, as_json=as_json)
        return
    run_change(
        opened,
        name,
        lambda writer: writer.build(sources, fresh=fresh, put_back=put_back or ()),
        job,
        as_json=as_json,
    )


@index.command("update")
def update(
    context: typer.Context,
    name: Name,
    extract: Extract = None,
    dry_run: DryRun = False,
    follow: Annotated[
        bool, typer.Option("--watch", help="Go on: update after each change, until Ctrl-C.")
    ] = False,
    every: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="With --watch: look every so many seconds, for drives that tell of no changes.",
        ),
    ] = None,
    as_json: JsonFlag = False,
    job: JobFolder = None,
) -> None:
    """Read NAME's own sources again: take over what is new, changed or gone.

    With --watch and --json, standard output has one object a line, one for each update.
    """
    if follow and dry_run:
        raise UsageError("--watch does not go with --dry-run")
    if every is not None and not follow:
        raise UsageError("--every goes with --watch", remedy="add --watch")
    opened = workspace(context, thoughts__graph=extract)
    if follow:
        watch(opened, name, every, job, as_json=as_json)
        return
    if dry_run:
        manifest = opened.index(name).manifest
        sources = [open_source(spec) for spec in manifest.sources]
        plan_change(opened, name, sources, job, as_json=as_json)
        return
    opened.index(name)  # names the nearest index if there is none of this name
    run_change(opened, name, lambda writer: writer.update(open_source), job, as_json=as_json)


@index.command("upgrade")
def upgrade(
    context: typer.Context,
    name: Name,
    extract: Extract = None,
    as_json: JsonFlag = False,
    job: JobFolder = None,
) -> None:
    """Bring NAME, made by an older version, to the present format; sources are not read."""
    run_change(
        workspace(context, thoughts__graph=extract),
        name,
        lambda w: w.upgrade(),
        job,
        as_json=as_json,
    )


@index.command("delete")
def delete(
    context: typer.Context,
    name: Name,
    document: Annotated[
        list[str] | None,
        typer.Option("--document", help="Delete only this document (id, path or address)."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
    job: JobFolder = None,
) -> None:
    """Delete documents from NAME, or the whole index. Your own files stay as they are."""
    opened = workspace(context)
    if document:
        opened.index(name)
        run_change(
            opened, name, lambda writer: writer.delete_documents(document), job, as_json=as_json
        )
        return
    if not yes and not typer.confirm(f"Delete the index '{name}'?", err=True):
        raise UsageError("nothing was deleted")
    reporting = JobReporter(job) if job is not None else nullcontext()
    with reporting as report, not_adapted_meanwhile(opened.index_folder(name)):
        watches(opened).off(name)
        writer = opened.writer(name)
        if report is None:
            writer.delete_index()
        else:
            patiently(writer.delete_index, report)
    if as_json:
        write_json({"deleted": name})
    else:
        console().print(f"index '{escape(name)}' deleted")


@index.command("status")
def status(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One index; all of them if left out.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """What there is: documents, passages, stages, sources, files that could not be read."""
    opened = workspace(context)
    manifests = [opened.index(name).manifest] if name else list(opened.indexes())
    rows = [status_row(opened, manifest) for manifest in manifests]
    if as_json:
        write_json({"indexes": rows})
        return
    if not rows:
        console().print("no index yet; make one: assistant index build NAME --from FOLDER")
        return
    columns = ("index", "documents", "passages", "stages", "graph", "on disk", "updated")
    console().print(
        table(
            "",
            columns,
            [
                [graph_in_words(r[key]) if key == "graph" else r[key] for key in _COLUMNS]
                for r in rows
            ],
        )
    )
    if name:
        for spec in manifests[0].sources:
            console().print(f"from {escape(spec)}")
        for part in rows[0]["parts"]:
            memory = f", {human_bytes(part.memory)} of them in memory" if part.memory else ""
            console().print(f"{human_bytes(part.disk)} {part.what}{memory}")
        show_failures(manifests[0].failures)


@index.command("search")
def search(
    context: typer.Context,
    name: Name,
    query: Annotated[str, typer.Argument(help="What to search for.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)] = 10,
    depth: Annotated[int | None, typer.Option(help="Candidates per stage.")] = None,
    fusion: Annotated[str, typer.Option(help=f"One of {', '.join(FUSIONS)}.")] = "min-max",
    only: OnlyOption = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Every share of every score, the terms that matched, each stage's list alone.",
        ),
    ] = False,
    why_not: Annotated[
        str | None,
        typer.Option(
            "--why-not",
            help="Also explain what lost a passage: text of it, its id, or its document.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Ranked passages with rank and score of every stage.

    Examples:

      assistant index search notes "when does the lease end" --explain

      assistant index search notes "lease" --why-not "The tenancy is terminated on"
    """
    opened = workspace(context, retrieval__depth=depth)
    where = filter_of(only)
    if explain or why_not is not None:
        explained_search(
            opened,
            name,
            query,
            limit=limit,
            fusion=fusion,
            wanted=why_not,
            where=where,
            as_json=as_json,
        )
        return
    result = opened.search(name, query, limit=limit, fusion=fusion, where=where)
    if as_json:
        write_json(search_json(result))
    else:
        show_hits(result)


index.command("documents")(list_documents)
index.command("read")(read_documents)
index.command("verify")(verify_index)
index.command("repair")(repair_index)
index.command("work")(postgres.work)


# -- helpers --------------------------------------------------------------------------------


def _known_sources(opened: Workspace, name: str) -> list[str]:
    """Without --from, a build goes on with the sources that the index was made of."""
    if has_engine(opened.index_folder(name)):
        return list(opened.index(name).manifest.sources)
    if known := read_remains(opened.index_folder(name)).sources:
        return known
    raise UsageError(
        f"index '{name}' has no sources yet",
        remedy=f"say where the documents are: assistant index build {name} --from FOLDER",
    )
