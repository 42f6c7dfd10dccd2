"""The flags of `ask` and `chat` that stand in for settings, for one question or conversation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import KnowledgeAssistantError, UsageError
from assistant.options import TurnOptions, options_of
from assistant.workspace import Workspace

EffortOption = Annotated[
    str | None, typer.Option("--effort", help="How hard to think: off, quick, normal or deep.")
]
RelianceOption = Annotated[
    str | None,
    typer.Option(
        "--reliance",
        help="How far a local model leans on itself: off, auto, or 0 (documents) to 1.",
    ),
]
FormOption = Annotated[
    str | None,
    typer.Option("--form", help="What a model is given: passages, triples or both."),
]
LengthOption = Annotated[
    str | None,
    typer.Option("--length", help="Of a model's answer: short, normal or long."),
]
LanguageOption = Annotated[
    str | None,
    typer.Option("--language", help="Of a model's answer: auto, or for example de or German."),
]
AttachOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--attach",
        metavar="FILE",
        help="A file for this conversation alone. May be given several times.",
    ),
]
InsteadOption = Annotated[
    str | None,
    typer.Option(
        "--instead-of", metavar="TURN", help="Another version of this turn of --conversation."
    ),
]


def given_options(
    reader: str | None,
    effort: str | None,
    reliance: str | None,
    form: str | None,
    length: str | None,
    language: str | None,
) -> TurnOptions:
    """The options of these flags.

    Raises:
        UnknownNameError, UsageError: as `options_of`.
    """
    given = {"reader": reader, "effort": effort, "reliance": reliance, "form": form}
    return options_of({**given, "length": length, "language": language})


def attach_files(opened: Workspace, conversation: str | None, paths: Sequence[Path]) -> str:
    """Attach files to a conversation, a new one if none is named; returns its id.

    Raises:
        UnknownNameError: there is no such conversation.
        UsageError: a file cannot be read; nothing is attached then.
    """
    contents = [_content(path) for path in paths]
    if conversation is not None:
        opened.conversations.turns(conversation, last=1)  # raises where there is none
    current = conversation or opened.conversations.start()
    try:
        opened.attachments.add(current, contents)
    except KnowledgeAssistantError:
        if conversation is None:
            opened.conversations.delete(current)
        raise
    return current


def _content(path: Path) -> tuple[str, bytes]:
    """Name and content of a file that is to be attached."""
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", remedy="check its name and its owner"
        ) from error
