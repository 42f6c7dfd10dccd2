"""What every command starts from: settings with the flags of this call, and the workspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.errors import UsageError
from assistant.memory.people import People
from assistant.settings import Settings, load_settings
from assistant.workspace import Workspace

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
ReaderOption = Annotated[
    str | None, typer.Option("--reader", help="auto, answerer, small, remote or extractive.")
]
EvaluatedReaderOption = Annotated[
    str | None,
    typer.Option(
        "--reader",
        help="auto, answerer (or: teacher), small (or: student), remote or extractive.",
    ),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="A sample.")]
IndexOption = Annotated[str | None, typer.Option("--index", "-i", help="The index to ask.")]


@dataclass(slots=True)
class Options:
    """The flags before the command."""

    home: Path | None = None
    person: str = ""
    overrides: dict[str, Any] = field(default_factory=dict)
    debug: bool = False


def shared_settings(context: typer.Context, **flags: Any) -> Settings:
    """The settings in force, whoever the person is.

    Args:
        flags: settings; they use `_` twice for the dot (`retrieval__depth=50`). One that was not
            given is None, and leaves what `--set` says.
    """
    options: Options = context.ensure_object(Options)
    named = {key.replace("__", "."): value for key, value in flags.items() if value is not None}
    return load_settings({**options.overrides, **named}, home=options.home)


def settings(context: typer.Context, **flags: Any) -> Settings:
    """The settings in force, for the person whom the flags name.

    Raises:
        UnknownNameError: nobody has this name.
    """
    options: Options = context.ensure_object(Options)
    found = shared_settings(context, **flags)
    if not options.person:
        return found
    people = People(found.home)
    folder = people.folder(people.named(options.person))
    return found.model_copy(update={"person_folder": folder})


def workspace(context: typer.Context, **flags: Any) -> Workspace:
    """The home folder, opened for the person whom the flags name.

    Raises:
        UnknownNameError: nobody has this name.
    """
    return Workspace(settings(context, **flags))


def parse_assignments(assignments: list[str]) -> dict[str, str]:
    """`["retrieval.depth=50"]` → `{"retrieval.depth": "50"}`.

    Raises:
        UsageError: one has no `=`.
    """
    values = {}
    for assignment in assignments:
        key, separator, value = assignment.partition("=")
        if not separator:
            raise UsageError(f"'{assignment}' is not KEY=VALUE", remedy="e.g. retrieval.depth=50")
        values[key.strip()] = value.strip()
    return values
