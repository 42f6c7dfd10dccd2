"""A collection in BEIR's layout: a folder with `corpus.jsonl` of `_id`, `title`, `text`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexes.corpora.blocks import one_line
from indexes.corpora.json_lines import LineError, Record, entries, first_of, identity
from indexes.documents import Entry, ReadFailure
from indexes.errors import UsageError

SCHEME = "beir"


class BeirSource:
    """The passages of a BEIR folder.

    Raises:
        UsageError: there is no `corpus.jsonl` in it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser().resolve()
        names = ("corpus.jsonl", "corpus.jsonl.gz")
        found = [path for name in names if (path := self.folder / name).is_file()]
        if not found:
            raise UsageError(
                f"there is no corpus.jsonl in '{folder}'",
                remedy="give the folder that holds corpus.jsonl: beir:FOLDER",
            )
        self._corpus = found[0]

    @property
    def spec(self) -> str:
        return f"{SCHEME}:{self.folder}"

    def entries(self) -> Iterator[Entry | ReadFailure]:
        return entries(self._corpus, _record, set())


def _record(values: dict[str, Any]) -> Record:
    name = identity(values, "_id", "id")
    title, text = one_line(first_of(values, "title")), first_of(values, "text")
    if not text:
        if not title:
            raise LineError(f"passage '{name}' has no text")
        title, text = "", title
    return Record(name, text, title)
