"""What came from the chat's field: a question, files, a command. Nothing here draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.components.uploads import Upload
from assistant.commands import Command, parse_command
from assistant.errors import KnowledgeAssistantError


@dataclass(frozen=True, slots=True)
class Typed:
    """One message; `text` is a question, empty where it was a command or files alone.

    `refused` is why a command was none.
    """

    text: str = ""
    files: Sequence[Upload] = ()
    command: Command | None = None
    refused: KnowledgeAssistantError | None = None

    @property
    def title(self) -> str:
        """For a new conversation that begins with files."""
        return "" if self.text else ", ".join(file.name for file in self.files)


def read_typed(value: Any) -> Typed:
    """The value of the field: None, a string, or an object with `text` and `files`."""
    if not value:
        return Typed()
    text = value if isinstance(value, str) else str(value.text or "")
    files = () if isinstance(value, str) else tuple(value.files or ())
    try:
        command = parse_command(text)
    except KnowledgeAssistantError as error:
        return Typed(files=files, refused=error)
    if command is not None:
        return Typed(files=files, command=command)
    return Typed(text.strip(), files)
