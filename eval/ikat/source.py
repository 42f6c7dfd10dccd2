"""A file of the track while it is read: its text, JSON with places, and errors that name them.

JSON allows what a run must not hold: repeated keys (the last silently wins) and NaN. Both are kept
visible here, so that the reader can say in which turn they stand.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import UsageError


class NotJsonError(UsageError):
    """A file or a line of it is not JSON; `line` says where."""

    def __init__(self, path: Path, line: int, what: str) -> None:
        super().__init__(f"{path}, line {line}{what}")
        self.line = line
        self.what = what


class Object(dict[str, Any]):
    """A JSON object that remembers which of its keys were written more than once."""

    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One file: where it lies and what is in it."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a UTF-8 file, with or without a byte order mark.

        Raises:
            UsageError: it is missing, a folder, or not UTF-8.
        """
        try:
            return cls(path, path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from error

    def wrong(
        self, what: str, *, line: int | None = None, turn: str | None = None, remedy: str = ""
    ) -> UsageError:
        """The error to raise: file, line (searched for when a turn is known) and turn."""
        if line is None and turn is not None:
            line = self.line_of(turn)
        places = [str(self.path)]
        places += [f"line {line}"] if line else []
        places += [f"turn {turn}"] if turn else []
        return UsageError(f"{', '.join(places)}: {what}", remedy=remedy)

    def line_of(self, turn: str) -> int | None:
        """The line where a JSON document names a turn, as a value of turn_id or as a key."""
        quoted = re.escape(json.dumps(turn, ensure_ascii=False))
        found = re.search(rf'"turn_id"\s*:\s*{quoted}|{quoted}\s*:', self.text)
        return self.text.count("\n", 0, found.start()) + 1 if found else None

    def document(self) -> Any:
        """The file as one JSON value; objects are `Object`.

        Raises:
            NotJsonError: with line and column.
        """
        return self.parse(self.text, first_line=1)

    def lines(self) -> Iterator[tuple[int, Any]]:
        """Line numbers and JSON values of a JSON-lines file; empty lines are passed over.

        Raises:
            NotJsonError: a line is not JSON, with line and column.
        """
        for number, line in self.rows():
            yield number, self.parse(line, first_line=number)

    def rows(self) -> Iterator[tuple[int, str]]:
        """Numbers and texts of the lines that are not empty."""
        # Not splitlines(): a response may hold U+2028, which is no end of line in JSON.
        for number, line in enumerate(self.text.split("\n"), start=1):
            if line.strip():
                yield number, line

    def parse(self, text: str, *, first_line: int) -> Any:
        """A part of the file that begins at a line, as JSON.

        Raises:
            NotJsonError: with line and column.
        """
        try:
            return json.loads(text, object_pairs_hook=_object)
        except json.JSONDecodeError as error:
            line = first_line + error.lineno - 1
            what = f", column {error.colno}: not JSON ({error.msg})"
            raise NotJsonError(self.path, line, what) from error
        except (RecursionError, ValueError) as error:  # nested too deeply, a number too long
            raise NotJsonError(self.path, first_line, f": not JSON ({error})") from error


def finite(value: Any) -> float | None:
    """The number as float; None when it is none, is NaN, or infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _object(pairs: list[tuple[str, Any]]) -> Object:
    made = Object(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        made.repeated = tuple(dict.fromkeys(name for name in names if names.count(name) > 1))
    return made
