"""Runs of distillation side by side: what differs, what came out, and whether it is chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from assistant.distillation.compare import Comparison, Interval, compare
from assistant.distillation.run_folder import RunFolder


def show_comparison(folders: Sequence[Path]) -> None:
    """The tables of `assistant distill compare`, each run with the first.

    Raises:
        UsageError: a run is not finished.
    """
    found = compare([RunFolder.open(folder) for folder in folders])
    for title, rows in tables(found).items():
        st.caption(title)
        if rows:
            st.dataframe(rows, hide_index=True, width="stretch")
        else:
            st.markdown("Nothing.")


def tables(found: Comparison) -> dict[str, list[dict[str, str]]]:
    """By title, rows with a column for each run."""
    shown = {
        "Settings that differ": _rows(found.runs, found.settings, _plain),
        "What came out": _rows(found.runs, found.measures, _plain),
    }
    if found.intervals:
        title = "Mean over the held-out examples, with its 95 % interval"
        shown[title] = _rows(found.runs, found.intervals, _mean)
    if found.differences:
        title = "Difference to the first run on the same examples; ●: 0 is not in the 95 % interval"
        shown[title] = _rows(found.runs, found.differences, _difference)
    return shown


def _rows(
    runs: Sequence[str], values: Mapping[str, Sequence[Any]], said: Callable[[Any], str]
) -> list[dict[str, str]]:
    # Two runs may have one name, in folders of their own.
    columns = [run if runs.count(run) == 1 else f"{run} ({n})" for n, run in enumerate(runs, 1)]
    return [
        {"": name, **{c: said(value) for c, value in zip(columns, of_runs, strict=True)}}
        for name, of_runs in values.items()
    ]


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _mean(value: Interval | None) -> str:
    return "–" if value is None else f"{value.mean:.4f} [{value.low:.4f}, {value.high:.4f}]"


def _difference(value: Interval | None) -> str:
    if value is None:
        return "–"
    chance = value.low <= 0 <= value.high
    text = f"{value.mean:+.4f} [{value.low:+.4f}, {value.high:+.4f}]"
    return text if chance else f"{text} ●"
