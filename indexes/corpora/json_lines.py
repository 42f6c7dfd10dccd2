"""Collections of passages as JSON lines: BEIR's `corpus.jsonl`, TREC and ClueWeb files.

A line is a passage that its collection has cut and named already: it becomes a document of one
passage with the collection's id, never cut again, so that judgements fit.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from indexes.corpora.blocks import clean, one_line
from indexes.documents import Block, Document, Entry, ReadFailure, content_hash

_LONGEST_LINE = 16 * 1024 * 1024
_HOPELESS = 20  # bad lines before the first good one
_MEND = "mend or remove the line"


@dataclass(frozen=True, slots=True)
class Record:
    """One passage of a collection."""

    id: str
    text: str
    title: str = ""
    url: str = ""
    headings: tuple[str, ...] = ()


class LineError(ValueError):
    """A line that is no passage; the message says why."""


def entries(
    path: Path, to_record: Callable[[dict[str, Any]], Record], seen: set[str]
) -> Iterator[Entry | ReadFailure]:
    """Every passage of a file; a line that is none is a failure that names file and line.

    A file that begins with nothing but bad lines is given up.

    Args:
        path: JSON lines, compressed with gzip where the name ends with .gz.
        to_record: takes an object apart; raises LineError.
        seen: ids met so far in the collection; added to.
    """
    good, bad = 0, 0
    for number, line in _numbered_lines(path):
        if not good and bad >= _HOPELESS:
            reason = f"the first {bad} lines are no passages: this is another format"
            yield ReadFailure(str(path), reason, "give a file with one JSON object a line")
            return
        place = f"{path}:{number}"
        if isinstance(line, ReadFailure):
            yield line
            continue
        if not line.strip():
            continue
        try:
            record = to_record(_object(line))
        except LineError as error:
            bad += 1
            yield ReadFailure(place, str(error), _MEND)
            continue
        if record.id in seen:
            yield ReadFailure(place, f"the id '{record.id}' occurs a second time", _MEND)
            continue
        seen.add(record.id)
        good += 1
        yield _entry(path, record)


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes | ReadFailure]]:
    number = 0
    opener = cast(
        Callable[[Path, str], AbstractContextManager[BinaryIO]],
        gzip.open if path.suffix == ".gz" else open,
    )
    try:
        with opener(path, "rb") as file:
            while line := file.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                    while rest := file.readline(_LONGEST_LINE):
                        if rest.endswith(b"\n"):
                            break
                    size = f"{_LONGEST_LINE // 2**20} MiB"
                    reason = f"the line is longer than {size}"
                    yield number, ReadFailure(f"{path}:{number}", reason, _MEND)
                    continue
                yield number, line
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        failure = ReadFailure(
            str(path),
            f"reading stopped at line {number + 1}: {reason}",
            "check the file; fetch it again if damaged",
        )
        yield number + 1, failure


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LineError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise LineError("not a JSON object")
    return value


def _entry(path: Path, record: Record) -> Entry:
    # Passages of one page share its address; the id makes it one of its own.
    uri = f"{record.url or path}#{record.id}"
    title = "\x00".join((record.title, *record.headings))
    fingerprint = content_hash(f"{title}\x00{record.text}")

    def load() -> Document:
        return Document(
            id=record.id,
            uri=uri,
            title=record.title or record.id,
            text=record.text,
            blocks=(Block(0, len(record.text), record.headings, None, "passage"),),
            media_type="text/plain",
            fingerprint=fingerprint,
        )

    return Entry(uri, fingerprint, load)


def words_of(value: Any) -> str:
    """A member as text: strings as they are, numbers in digits, anything else as nothing."""
    if isinstance(value, str):
        return clean(value).strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def first_of(values: dict[str, Any], *keys: str) -> str:
    """The first of the members that says something."""
    return next((text for key in keys if (text := words_of(values.get(key)))), "")


def identity(values: dict[str, Any], *keys: str) -> str:
    """The first of the members that names the passage; surrogates and line breaks gone.

    Raises:
        LineError: none does.
    """
    name = one_line(first_of(values, *keys))
    if not name:
        raise LineError(f"no id (one of {', '.join(keys)})")
    return name
