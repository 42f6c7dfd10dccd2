"""Looking at run folders while they are written and afterwards; nothing here loads torch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant.distillation.run_folder import RunFolder
from assistant.errors import KnowledgeAssistantError, StorageError, UsageError

_DEEPEST = 3
_MOST = 500
_POINTS = 1_000
_NO_CURVES = {"generation", "step", "seconds", "tokens", "learning_rate", "tokens_per_second"}
_SAMPLES = 50


@dataclass(frozen=True, slots=True)
class RunLook:
    """A run in a list.

    `state` is "finished" or "started" (which it also is while it runs, and after it was stopped);
    `loss` is the last one, None before the first report; `seconds` are of training; `written` is
    when its curves or state were written last, ISO 8601, UTC.
    """

    folder: Path
    name: str
    state: str
    generation: int
    step: int
    loss: float | None
    seconds: float
    written: str


def find_runs(folder: Path) -> list[RunLook]:
    """The runs in a folder and up to three folders below, written last first.

    Raises:
        UsageError: it is no folder.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", remedy="give the folder that runs are in")
    found = []
    for place, folders, names in os.walk(folder):
        path = Path(place)
        if len(path.relative_to(folder).parts) >= _DEEPEST:
            folders[:] = []
        if {"recipe.yaml", "state.json"} <= set(names):
            folders[:] = []
            if (look := _look(path)) is not None:
                found.append(look)
            if len(found) >= _MOST:
                break
        folders[:] = sorted(name for name in folders if name[0] != ".")
    return sorted(found, key=lambda run: run.written, reverse=True)


def curve(run: Path, table: str = "curves.csv") -> tuple[list[dict[str, float]], list[str]]:
    """Points of a curve with the names of what they hold; many points are thinned evenly.

    Generations follow one another on the axis "step". A row that is being written is left out.
    """
    rows = RunFolder(run).table(table)
    columns = [name for name in (rows[0] if rows else {}) if name not in _NO_CURVES]
    points: list[dict[str, float]] = []
    before, last, generation = 0.0, 0.0, ""
    for row in rows:
        values = {name: _number(row.get(name)) for name in ("step", *columns)}
        step = values["step"]
        if step is None or row.get("generation") is None:
            continue
        if row["generation"] != generation:
            before, generation = (last if generation else 0.0), row["generation"]
        last = before + step
        kept = {name: value for name, value in values.items() if value is not None}
        points.append({**kept, "step": last})
    every = max(1, -(-len(points) // _POINTS))
    thinned = points[::every]
    if points and thinned[-1] is not points[-1]:
        thinned.append(points[-1])
    named = [name for name in columns if any(name in point for point in thinned)]
    return thinned, named


def recipe_text(run: Path) -> str:
    """The recipe as it was run."""
    return _text(run / "recipe.yaml")


def record(run: Path, name: str) -> Mapping[str, Any]:
    """A JSON file of the run ("evaluation.json", "data.json", …); empty where there is none."""
    file = run / name
    if not file.is_file():
        return {}
    try:
        value = json.loads(_text(file))
    except ValueError as error:
        raise StorageError(f"{file} is damaged: {error}", remedy="run the recipe again") from error
    return value if isinstance(value, dict) else {"value": value}


def samples(run: Path) -> list[dict[str, str]]:
    """What the model made of the same inputs before and after, by column."""
    folder = RunFolder(run)
    try:
        before = folder.read_lines("samples-before.jsonl")[:_SAMPLES]
        after = folder.read_lines("samples-after.jsonl")[:_SAMPLES]
    except ValueError as error:
        raise StorageError(f"the samples of {run.name} are damaged: {error}") from error
    rows = []
    for number in range(max(len(before), len(after))):
        first = before[number] if number < len(before) else {}
        second = after[number] if number < len(after) else {}
        row: dict[str, str] = {}
        for name in dict.fromkeys([*first, *second]):
            old, new = first.get(name), second.get(name)
            if old == new or not after or not before:
                row[name] = _shown(old if before else new)
            else:
                row[f"{name}, before"], row[f"{name}, after"] = _shown(old), _shown(new)
        rows.append(row)
    return rows


def shipped_recipes() -> list[Path]:
    """The recipes to start from that come with the program."""
    folder = Path(str(files("assistant.distillation").joinpath("recipes")))
    return sorted(folder.glob("*.yaml"))


def _look(path: Path) -> RunLook | None:
    folder = RunFolder(path)
    try:
        state = folder.state
        rows = folder.table("curves.csv")
    except (KnowledgeAssistantError, ValueError, OSError):
        return None
    last = rows[-1] if rows else {}
    stamps = [path / "state.json", path / "curves.csv"]
    written = max(file.stat().st_mtime for file in stamps if file.is_file())
    return RunLook(
        path,
        path.name,
        str(state.get("state", "")),
        int(state.get("generation", 1)),
        int(_number(last.get("step")) or 0),
        _number(last.get("loss")),
        round(sum(_number(row.get("seconds")) or 0.0 for row in rows), 1),
        datetime.fromtimestamp(written, UTC).isoformat(timespec="seconds"),
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{file} cannot be read: {error}") from error


def _shown(value: Any) -> str:
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, list):
        texts = [one.get("text") if isinstance(one, dict) else one for one in value]
        return "; ".join(str(text) for text in texts if text)
    return json.dumps(value, ensure_ascii=False)
