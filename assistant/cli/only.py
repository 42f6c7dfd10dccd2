"""`--only KEY=VALUE`: the option that restricts a search or a question to some documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import UnknownNameError, UsageError
from indexes.filters import Filter, moment

OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="KEY=VALUE",
        help="Look only into document=NAME, folder=FOLDER, source=SOURCE, language=CODE, "
        "since=DATE, until=DATE. May be given several times.",
    ),
]
_KEYS = ("document", "folder", "source", "language", "since", "until")


def filter_of(given: Sequence[str] | None) -> Filter:
    """The filter that such options describe; several of one key: any of them will do.

    Raises:
        UnknownNameError: a key that does not exist.
        UsageError: no `=`, a date that is none, or a second date for one end.
    """
    values: dict[str, list[str]] = {key: [] for key in _KEYS}
    for assignment in given or ():
        key, separator, value = assignment.partition("=")
        if not separator or not value.strip():
            raise UsageError(
                f"'{assignment}' is not KEY=VALUE", remedy="e.g. --only folder=~/notes/2026"
            )
        if key.strip() not in _KEYS:
            raise UnknownNameError("filter", key.strip(), _KEYS)
        values[key.strip()].append(value.strip())
    for key in ("since", "until"):
        if len(values[key]) > 1:
            raise UsageError(f"{key} is given {len(values[key])} times", remedy="give one date")
    return Filter(
        documents=tuple(name for text in values["document"] for name in _names(text)),
        folders=tuple(_path(text) for text in values["folder"]),
        sources=tuple(name for text in values["source"] for name in _names(text)),
        languages=tuple(text.casefold() for text in values["language"]),
        since=moment(values["since"][0]) if values["since"] else None,
        until=moment(values["until"][0], end=True) if values["until"] else None,
    )


def _names(text: str) -> list[str]:
    """What is written may be an id, an address, or a path from here or from home."""
    return list(dict.fromkeys((text, _path(text))))


def _path(text: str) -> str:
    """An absolute path, as documents' uris are; addresses with a scheme stay as they are."""
    scheme = text.partition(":")[0]
    if len(scheme) > 1 and scheme.isalnum() and ":" in text:
        return text
    return str(Path(text).expanduser().absolute())
