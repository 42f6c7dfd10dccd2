"""What the command line writes: text for people, or one JSON object.

With `--json` standard output holds one JSON object and nothing else; progress and messages go to
standard error either way. Colour only on a terminal (rich decides).
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from assistant.errors import StorageError
from indexes.files import write_atomically
from indexes.progress import OnProgress, Progress


def console() -> Console:
    """Standard output, for people."""
    return Console(highlight=False, soft_wrap=True)


def messages() -> Console:
    """Standard error: progress, notes and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def write_json(value: Any) -> None:
    """The one JSON object of a `--json` call."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def write_text(file: Path, text: str) -> None:
    """Write a file that the person named, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        write_atomically(file, text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise StorageError(
            f"cannot write {file}: {error.strerror}", remedy="name a file in a folder of yours"
        ) from error


def write_export(file: Path, text: str, count: int, *, as_json: bool) -> None:
    """Write what was exported, and say how much that is.

    Raises:
        StorageError: the file cannot be written.
    """
    write_text(file, text)
    if as_json:
        write_json({"exported": count, "file": file})
    else:
        console().print(f"{count} written to {escape(str(file))}")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A plain table; numbers are right-aligned."""
    made = Table(title=title or None, box=None, title_justify="left", pad_edge=False)
    body = [[_cell(value) for value in row] for row in rows]
    for position, column in enumerate(columns):
        numeric = bool(body) and all(_numeric(row[position]) for row in body)
        made.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        made.add_row(*(Text(cell) for cell in row))
    return made


def _cell(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _numeric(cell: str) -> bool:
    return cell.replace(".", "", 1).replace("-", "", 1).replace(",", "").isdigit()


class _Rate(ProgressColumn):
    """Units per second of the work itself, not of the time since the bar appeared."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.fields.get('rate', 0.0):.1f}/s")


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[OnProgress]:
    """Bars on standard error, one per stage; the callback feeds them."""
    bars = Bar(
        SpinnerColumn(),
        TextColumn("{task.description:<8}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        _Rate(),
        TimeRemainingColumn(),
        console=messages(),
        disable=quiet,
        transient=False,
    )
    tasks: dict[str, Any] = {}

    def on_progress(progress: Progress) -> None:
        if progress.stage not in tasks:
            tasks[progress.stage] = bars.add_task(
                progress.stage, total=progress.total, unit=progress.unit, rate=0.0
            )
        bars.update(
            tasks[progress.stage],
            completed=progress.done,
            total=progress.total,
            rate=progress.rate,
            unit=progress.unit,
        )

    with bars:
        yield on_progress


def human_bytes(count: float) -> str:
    """1,536 → "1.5 KB"."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError  # the loop always returns


def human_seconds(seconds: float) -> str:
    """90 → "2 minutes"; 5,400 → "1.5 hours"."""
    if seconds < 60:
        return f"{seconds:.0f} seconds"
    if seconds < 3600:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
