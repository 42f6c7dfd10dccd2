"""`assistant memory`: what the person told about themselves; list, add, forget, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.output import console, table, write_export, write_json
from assistant.errors import UsageError
from assistant.memory.person import PersonMemory, exported
from assistant.understanding.statements import Statement

memory = typer.Typer(
    help="What you told about yourself. Nothing enters by itself.", no_args_is_help=True
)


def _memory(context: typer.Context) -> PersonMemory:
    return workspace(context).person


@memory.command("list")
def list_statements(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Every statement with its id, oldest first."""
    found = _memory(context).statements()
    if as_json:
        write_json({"statements": found})
    elif found:
        console().print(table("", ("id", "statement"), [(s.id, s.text) for s in found]))
    else:
        console().print("nothing is remembered; tell something: assistant memory add TEXT")


@memory.command("add")
def add_statement(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="One statement, at most 500 characters.")],
    as_json: JsonFlag = False,
) -> None:
    """Remember a statement. One that is there already stays as it is.

    Examples:

      assistant memory add "I am allergic to peanuts."
    """
    kept = _memory(context).add(text)
    if as_json:
        write_json({"remembered": kept})
    else:
        _print(kept)


@memory.command("forget")
def forget_statements(
    context: typer.Context,
    identity: Annotated[str | None, typer.Argument(metavar="[ID]", help="See `list`.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Forget every statement.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove a statement, or all of them, for good."""
    if (identity is not None) == everything:
        raise UsageError("say what to forget", remedy="give one ID, or --all")
    kept = _memory(context)
    if identity is not None:
        gone = kept.forget(identity)
        if as_json:
            write_json({"forgotten": 1})
        else:
            console().print("forgotten:")
            _print(gone)
        return
    count = kept.forget_all()
    if as_json:
        write_json({"forgotten": count})
    else:
        console().print(f"{count} forgotten")


@memory.command("export")
def export_statements(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="Where to write; standard output if left out.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """The statements as a JSON list of objects with `id` and `text`."""
    found = _memory(context).statements()
    if file is None:
        write_json(found)
        return
    write_export(file, exported(found), len(found), as_json=as_json)


def _print(statement: Statement) -> None:
    console().print(f"{statement.id}  {statement.text}", markup=False)
