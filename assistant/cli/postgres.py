"""`assistant index build --engine` and `assistant index work`: indexes on a PostgreSQL server."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.markup import escape

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.output import console, progress_bars, write_json
from assistant.errors import UsageError
from assistant.workspace import Workspace
from indexes.manifest import MANIFEST
from indexes.postgres import schema
from indexes.postgres.address import Address
from indexes.postgres.index import has_engine, read_engine, write_engine
from indexes.postgres.session import Session
from indexes.postgres.worker import LEASE_SECONDS, Worker

EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="Keep the index on a PostgreSQL server with pgvector: "
        "postgresql://USER@HOST/DATABASE. The password comes from PGPASSFILE or PGPASSWORD; "
        "it is never written down.",
    ),
]


def attach(opened: Workspace, name: str, engine: str) -> None:
    """Let the index NAME of this home lie on a server.

    Raises:
        UsageError: it is no address, or NAME is already an index in files.
        StorageError: the server cannot be reached or lacks pgvector.
    """
    address = known_address(engine)
    folder = opened.index_folder(name)
    if (folder / MANIFEST).exists():
        raise UsageError(
            f"'{name}' is already an index in files",
            remedy=f"choose another name, or delete it first: assistant index delete {name}",
        )
    if has_engine(folder) and read_engine(folder) != address:
        raise UsageError(
            f"'{name}' already lies at {read_engine(folder)}",
            remedy="choose another name, or build it without --engine",
        )
    Session(address, schema.schema_of(name)).close()  # before a folder is made in its name
    write_engine(folder, address)


def known_address(engine: str) -> Address:
    """An address, with a password that it may hold handed to this process alone."""
    address = Address.parse(engine)
    if password := address.secrets.get("password"):
        os.environ["PGPASSWORD"] = password
    return address


def work(
    context: typer.Context,
    engine: Annotated[str, typer.Argument(help="postgresql://USER@HOST/DATABASE")],
    index: Annotated[
        list[str] | None, typer.Option("--index", "-i", help="Only this index; several times.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait for new work until stopped with Ctrl-C.")
    ] = False,
    lease: Annotated[
        float, typer.Option(min=1.0, help="Seconds until a silent worker's batch is free again.")
    ] = LEASE_SECONDS,
    as_json: JsonFlag = False,
) -> None:
    """Help to encode the indexes on a server. Start as many as you like, on any machines.

    A worker that is killed costs the batch that it was encoding; another one takes it.

    Examples:

      assistant index work postgresql://me@server/library

      assistant index work postgresql://me@server/library --index papers --follow
    """
    opened = workspace(context)
    with progress_bars(quiet=as_json) as on_progress:
        worker = Worker(
            known_address(engine), opened.encoders, lease_seconds=lease, on_progress=on_progress
        )
        done = worker.run(index, follow=follow)
    if as_json:
        write_json(
            {"batches": done.batches, "texts": done.texts, "seconds": round(done.seconds, 2)}
        )
        return
    rate = done.texts / done.seconds if done.seconds else 0.0
    console().print(
        f"{done.texts:,} texts in {done.batches:,} batches encoded, {rate:.1f} a second"
        if done.batches
        else f"nothing to encode at {escape(str(Address.parse(engine)))}"
    )
