"""Runs of the own questions: what changed, the answers side by side, the curve over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from app.components.text import one_line, plain
from app.components.times import moment
from app.components.words import counted
from eval.own.changes import KINDS, Change, settings_changed
from eval.own.expectations import Judged
from eval.own.kept import OwnResult, OwnRun

_TITLES = {
    "newly failing": ":red[:material/trending_down:] **Newly failing**",
    "newly passing": ":green[:material/trending_up:] **Newly passing**",
    "still failing": ":red[:material/close:] **Still failing**",
    "new": ":material/fiber_new: **Asked for the first time**",
    "edited": ":material/edit: **Changed since the last run, so not compared**",
    "still passing": ":green[:material/check:] **Still passing**",
}
_READERS = {
    "answerer": "the language model",
    "remote": "the endpoint",
    "small": "the small reader",
    "extractive": "quotations",
    "assistant": "the assistant itself",
}
_SETTINGS = 6  # that changed, shown in one line


def run_label(run: OwnRun) -> str:
    """`27 Nov 2026, 21:40: 3 of 4 pass`; not escaped."""
    stopped = "" if run.ended else f", ended after {run.done} of {run.questions}"
    return f"{moment(run.started)}: {run.passed} of {run.done} pass{stopped}"


def curve(runs: Sequence[OwnRun]) -> list[dict[str, Any]]:
    """Points of the curve: the share that passed, of the runs that went through."""
    return [
        {
            "run": datetime.fromisoformat(run.started),
            "passing, %": round(100 * run.passed / run.done, 1),
        }
        for run in runs
        if run.ended and run.done
    ]


def show_curve(runs: Sequence[OwnRun]) -> None:
    """How many passed over time; nothing of a single run."""
    points = curve(runs)
    if len(points) < 2:
        return
    st.markdown("**Over time**")
    last = points[-1]["passing, %"]
    st.line_chart(
        points,
        x="run",
        y="passing, %",
        x_label="",
        height=220,
        alt=f"Share of questions that passed in {len(points)} runs, last {last} %",
    )


def show_changes(
    found: Sequence[Change], settings: tuple[Mapping[str, Any], Mapping[str, Any]] | None
) -> None:
    """What became of each question, what matters most first.

    Args:
        settings: of the run before and of this one, to say what was changed.
    """
    if settings is not None:
        _show_settings(settings_changed(*settings), found)
    for kind in KINDS:
        group = [change for change in found if change.kind == kind]
        if group:
            st.markdown(f"{_TITLES[kind]} ({len(group)})")
        for change in group:
            _show_change(change)


def _show_settings(changed: Mapping[str, tuple[Any, Any]], found: Sequence[Change]) -> None:
    words = [
        f"{name} from {_value(old)} to {_value(new)}"
        for name, (old, new) in list(changed.items())[:_SETTINGS]
    ]
    if len(changed) > _SETTINGS:
        words.append(f"{len(changed) - _SETTINGS} more")
    rebuilt = sorted(
        {
            one.now.index
            for one in found
            if one.before and one.before.generation != one.now.generation
        }
    )
    if rebuilt:
        words.append(f"the index {' and '.join(rebuilt)} was rebuilt or is another one")
    said = "; ".join(words) or "nothing in the settings or the indexes"
    st.caption(plain(f"Changed since the run before: {said}."))


def _value(value: Any) -> str:
    return "unset" if value in ("", None) else str(value)


def _show_change(change: Change) -> None:
    note = " (another answer)" if change.other_answer and change.kind.startswith("still") else ""
    with st.expander(plain(one_line(f"{change.now.question}{note}", 110))):
        if change.before is None:
            _show_result(change.now)
            return
        before, now = st.columns(2)
        with before:
            st.markdown("**Before**")
            _show_result(change.before)
        with now:
            st.markdown("**Now**")
            _show_result(change.now)


def _show_result(result: OwnResult) -> None:
    judged = result.judged
    st.markdown(":green-badge[passes]" if judged.passed else ":red-badge[fails]")
    if judged.error:
        st.markdown(plain(f"The turn failed: {judged.error}"))
    else:
        st.markdown(plain(judged.answer) if judged.answer else "*no answer*")
    for check in judged.checks:
        mark = ":green[:material/check:] yes:" if check.met else ":red[:material/close:] no:"
        st.markdown(f"{mark} {plain(one_line(check.what, 200))}")
    st.caption(plain(result_note(result)))


def result_note(result: OwnResult) -> str:
    """Who answered, from what, how fast; not escaped."""
    judged: Judged = result.judged
    parts = [f"index {result.index} {result.generation}".strip()]
    if judged.reader:
        parts.append(f"by {_READERS.get(judged.reader, judged.reader)}")
    parts.append(f"{judged.seconds:.1f} s")
    if judged.sources:
        parts.append(f"cites {'; '.join(judged.sources)}")
    return " · ".join(parts)


def summary(run: OwnRun, found: Sequence[Change]) -> str:
    """`3 of 4 pass, 1 newly failing`; not escaped."""
    verb = "passes" if run.done == 1 else "pass"
    parts = [f"{run.passed} of {counted(run.done, 'question')} {verb}"]
    for kind in ("newly failing", "newly passing"):
        count = sum(change.kind == kind for change in found)
        if count:
            parts.append(f"{count} {kind}")
    return ", ".join(parts)
