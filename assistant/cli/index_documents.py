"""`assistant index documents` and `read`: the documents of an index one by one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.index_changes import JobFolder, run_change
from assistant.cli.output import console, table, write_json
from assistant.errors import UnknownNameError, UsageError
from indexes.corpora import open_source
from indexes.listing import STATES, Listed, listing
from indexes.postgres.index import has_engine

Name = Annotated[str, typer.Argument(help="The index's name.")]


def list_documents(
    context: typer.Context,
    name: Name,
    wanted: Annotated[str, typer.Option("--filter", help="Part of a title or path.")] = "",
    state: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many first.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """The documents of NAME, each with its state: read, changed on disk since, gone, not read
    (with the reason), taken out.

    Examples:

      assistant index documents notes --state changed

      assistant index documents notes --filter lease
    """
    if state is not None and state not in STATES:
        raise UnknownNameError("state", state, STATES)
    opened = workspace(context).index(name)
    found = listing(
        opened.store, opened.manifest, wanted=wanted, state=state, limit=limit, offset=offset
    )
    if as_json:
        write_json({"index": name, "total": found.total, "documents": found.rows})
        return
    rows = [(row.state, row.passages, row.title, row.uri) for row in found.rows]
    console().print(table("", ("state", "passages", "title", "where"), rows))
    for row in found.rows:
        if row.reason:
            console().print(_why(row), markup=False)
    console().print(f"{len(found.rows):,} of {found.total:,}")


def read_documents(
    context: typer.Context,
    name: Name,
    document: Annotated[
        list[str], typer.Option("--document", help="Its id, path or address; may be repeated.")
    ],
    as_json: JsonFlag = False,
    job: JobFolder = None,
) -> None:
    """Read single documents of NAME again, and nothing else.

    Examples:

      assistant index read notes --document ~/Documents/notes/lease.md
    """
    opened = workspace(context)
    opened.index(name)
    if has_engine(opened.index_folder(name)):
        raise UsageError(
            f"index '{name}' lies on a server, where single documents are not read by themselves",
            remedy=f"assistant index update {name} reads what has changed",
        )

    def work(writer: Any) -> Any:
        return writer.read_documents(document, open_source)

    run_change(opened, name, work, job, as_json=as_json)


def _why(row: Listed) -> str:
    return f"{row.uri}: {row.reason}" + (f" ({row.remedy})" if row.remedy else "")
