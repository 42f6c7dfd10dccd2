"""TREC and ClueWeb collections: JSON lines in one file, or in the files of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexes.corpora.blocks import one_line
from indexes.corpora.json_lines import LineError, Record, entries, first_of, identity
from indexes.documents import Entry, ReadFailure
from indexes.errors import UsageError

SCHEME = "trec"
_IDS = ("id", "docid", "_id", "pid", "docno")
_TEXTS = ("contents", "text", "body", "segment", "passage")
_ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".ndjson", ".ndjson.gz")


class TrecSource:
    """The passages of a file of JSON lines, or of all such files in a folder, by name.

    Each line has an id (`id`, `docid`, `_id`) and a text (`contents`, `text`, `body`, `segment`),
    and may have `title`, `url` and `headings`.

    Raises:
        UsageError: there is no such file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().resolve()
        if not self.path.exists():
            raise UsageError(f"there is no file '{path}'", remedy="check the path: trec:FILE")
        if self.path.is_dir() and not self._files():
            raise UsageError(
                f"there are no JSON lines in '{path}'", remedy=f"known: {' '.join(_ENDINGS)}"
            )

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            return [self.path]
        return sorted(path for path in self.path.iterdir() if path.name.endswith(_ENDINGS))

    @property
    def spec(self) -> str:
        return f"{SCHEME}:{self.path}"

    def entries(self) -> Iterator[Entry | ReadFailure]:
        seen: set[str] = set()
        for path in self._files():
            yield from entries(path, _record, seen)


def _record(values: dict[str, Any]) -> Record:
    name = identity(values, *_IDS)
    text = first_of(values, *_TEXTS)
    if not text:
        raise LineError(f"passage '{name}' has no text (one of {', '.join(_TEXTS)})")
    return Record(
        name, text, one_line(first_of(values, "title")), first_of(values, "url"), _headings(values)
    )


def _headings(values: dict[str, Any]) -> tuple[str, ...]:
    given = values.get("headings")
    lines = given.split("\n") if isinstance(given, str) else given
    if not isinstance(lines, list):
        return ()
    return tuple(text for line in lines if isinstance(line, str) and (text := one_line(line)))
