"""`assistant people`: who uses this home folder; each has conversations and statements apart."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.cli.context import JsonFlag, shared_settings
from assistant.cli.output import console, table, write_json
from assistant.memory.people import People, Person

people = typer.Typer(
    help="Who uses this home folder. Conversations and statements are kept apart, without a "
    "password: that is no protection.",
    no_args_is_help=True,
)
NameArgument = Annotated[str, typer.Argument(help="A name or an id of `list`.")]


def _people(context: typer.Context) -> People:
    return People(shared_settings(context).home)


@people.command("list")
def list_people(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Everybody, the first person before the others."""
    found = _people(context).everyone()
    if as_json:
        write_json({"people": found})
    else:
        rows = [(person.id, person.name, person.kind) for person in found]
        console().print(table("", ("id", "name", "kind"), rows))


@people.command("add")
def add_person(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="At most 40 characters.")],
    as_json: JsonFlag = False,
) -> None:
    """A new profile, without conversations or statements.

    Examples:

      assistant people add Anna

      assistant --person Anna ask "What is PageRank?"
    """
    _tell("added", _people(context).add(name), as_json=as_json)


@people.command("rename")
def rename_person(
    context: typer.Context,
    name: NameArgument,
    new_name: Annotated[str, typer.Argument(help="At most 40 characters.")],
    as_json: JsonFlag = False,
) -> None:
    """Give a profile another name."""
    kept = _people(context)
    _tell("renamed", kept.rename(kept.named(name), new_name), as_json=as_json)


@people.command("remove")
def remove_person(context: typer.Context, name: NameArgument, as_json: JsonFlag = False) -> None:
    """Remove a person with all their conversations and statements, for good."""
    kept = _people(context)
    person = kept.named(name)
    kept.remove(person)
    _tell("removed", person, as_json=as_json)


def _tell(what: str, person: Person, *, as_json: bool) -> None:
    if as_json:
        write_json({what: person})
    else:
        console().print(f"{what}: {person.name}", markup=False)
