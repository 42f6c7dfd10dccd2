"""Runs of distillation: a list, and one of them with its curves, samples and measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.notices import errors_shown
from app.components.progress import duration
from app.components.text import plain
from app.components.times import moment
from assistant.distillation.looking import RunLook, curve, recipe_text, record, samples

_EVERY = 3.0  # seconds between two looks at the curves of a run under way
_STATES = {"finished": "finished", "started": "not finished"}


def run_rows(runs: Sequence[RunLook], training: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The table. `training` are names of runs that are under way."""
    return [
        {
            "run": run.name,
            "state": "training" if run.name in training else _STATES.get(run.state, run.state),
            "step": run.step,
            "loss": run.loss,
            "trained": duration(run.seconds),
            "last written": moment(run.written),
        }
        for run in runs
    ]


def show_runs(runs: Sequence[RunLook]) -> list[RunLook]:
    """The table; returns the chosen runs in its order."""
    chosen = st.dataframe(
        run_rows(runs),
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="multi-row",
        key="distillation-runs",
    )
    rows: list[int] = chosen["selection"]["rows"]
    found = [runs[row] for row in sorted(rows) if row < len(runs)]
    if not found:
        st.caption("Choose a run to see its curves, or several to compare them.")
    return found


def show_run(run: RunLook, *, live: bool) -> None:
    """Curves, what came out, samples, the recipe.

    Args:
        live: work is under way, so the curves of a run that is not finished are drawn again.
    """
    st.markdown(f"**{plain(run.name)}**")
    watching = live and run.state != "finished"
    if watching:
        st.fragment(run_every=_EVERY, key=f"curve-{run.name}")(_show_curves)(run.folder)
    else:
        _show_curves(run.folder)
    measures, said, recipe, machine = st.tabs(["Measures", "Samples", "Recipe", "Data and machine"])
    with measures, errors_shown():
        _show_record(record(run.folder, "evaluation.json"), "It is measured when it has ended.")
    with said, errors_shown():
        rows = samples(run.folder)
        if rows:
            st.dataframe(rows, hide_index=True, width="stretch")
        else:
            st.markdown("There are no samples yet.")
    with recipe, errors_shown():
        st.code(recipe_text(run.folder), language="yaml")
    with machine, errors_shown():
        _show_record(record(run.folder, "data.json"), "Nothing is noted about the data.")
        _show_record(record(run.folder, "environment.json"), "Nothing is noted about the machine.")


def flat(values: Mapping[str, Any], before: str = "") -> list[dict[str, str]]:
    """Nested values as rows of name and value."""
    rows = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += flat(value, f"{before}{name}.")
        else:
            shown = f"{value:.4f}" if isinstance(value, float) else str(value)
            rows.append({"": f"{before}{name}", "value": shown})
    return rows


def _show_curves(folder: Path) -> None:
    with errors_shown():
        points, names = curve(folder)
        if not points:
            st.markdown("No step has been reported yet.")
            return
        last = points[-1]
        said = ", ".join(f"{name} {last[name]:.4g}" for name in names if name in last)
        st.caption(plain(f"Step {last['step']:.0f}: {said}"))
        losses = [name for name in names if name != "gradient_norm"]
        st.line_chart(points, x="step", y=losses, y_label="loss", height=260, alt=f"Loss: {said}")
        held_out, measures = curve(folder, "evaluations.csv")
        if held_out and measures:
            # One at a time: a threshold and a share have no scale in common.
            first = next((n for n, name in enumerate(measures) if name.endswith("f1")), 0)
            name = st.selectbox(
                "On held-out examples", measures, index=first, key=f"measure-{folder.name}"
            )
            st.line_chart(
                held_out, x="step", y=name, height=220, alt=f"{name} on held-out examples"
            )


def _show_record(values: Mapping[str, Any], otherwise: str) -> None:
    if values:
        st.dataframe(flat(values), hide_index=True, width="stretch")
    else:
        st.markdown(otherwise)
