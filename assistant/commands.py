"""Commands that are typed where a question could be: `/new`, `/effort deep`.

Parsed here, carried out by whoever shows the conversation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.errors import UnknownNameError, UsageError
from assistant.memory.exporting import FORMATS
from assistant.options import TurnOptions, options_of

CommandName = Literal[
    "help",
    "new",
    "index",
    "effort",
    "reader",
    "length",
    "language",
    "reliance",
    "form",
    "remember",
    "forget",
    "export",
    "retry",
]

COMMANDS: dict[CommandName, tuple[str, str]] = {
    "help": ("", "these commands"),
    "new": ("", "begin a new conversation"),
    "retry": ("", "answer the last question again; the first answer is kept"),
    "index": ("NAME", "ask about another index"),
    "effort": ("off, quick, normal or deep", "how hard to think"),
    "reader": ("auto, answerer, small, remote or extractive", "who writes the answers"),
    "length": ("short, normal or long", "of a language model's answers"),
    "language": ("auto, or for example de", "of a language model's answers"),
    "reliance": ("off, auto, or 0 to 1", "how far a local model leans on what it knows itself"),
    "form": ("passages, triples or both", "what a language model is given"),
    "remember": ("TEXT", "keep something about you"),
    "forget": ("TEXT", "forget what says that"),
    "export": (", ".join(FORMATS), "save this conversation"),
}
"""Each command with what comes after it, and what it does."""

OPTIONS: tuple[CommandName, ...] = (
    "effort",
    "reader",
    "length",
    "language",
    "reliance",
    "form",
)
_BARE: tuple[CommandName, ...] = ("help", "new", "retry")
# A path ("/etc/hosts") or a fraction is a question.
_COMMAND = re.compile(r"/([A-Za-z]+)(?:\s+(.*))?", re.S)


@dataclass(frozen=True, slots=True)
class Command:
    """What was typed; `options` for those that choose one."""

    name: CommandName
    argument: str = ""
    options: TurnOptions | None = None


def parse_command(text: str) -> Command | None:
    """The command of a message; None where it is a question.

    Raises:
        UnknownNameError: no such command, option or format; with the nearest one.
        UsageError: it needs something after it and there is nothing.
    """
    found = _COMMAND.fullmatch(text.rstrip())
    if found is None:
        return None
    word, argument = found[1].lower(), " ".join((found[2] or "").split())
    name = next((known for known in COMMANDS if known == word), None)
    if name is None:
        known = [f"/{one}" for one in COMMANDS]
        raise UnknownNameError(
            "command", f"/{word}", known, remedy="/help lists all; a space before it asks it so"
        )
    takes = COMMANDS[name][0]
    if name in _BARE and argument:
        raise UsageError(f"/{name} takes nothing after it", remedy=f"type /{name} alone")
    if name == "export":
        argument = argument.lower() or "md"
        if argument not in FORMATS:
            raise UnknownNameError("format", argument, FORMATS)
    elif name not in _BARE and not argument:
        raise UsageError(f"/{name} needs something after it: {takes}", remedy="see /help")
    options = options_of({name: argument}) if name in OPTIONS else None
    return Command(name, argument, options)
