"""The curves of a run as a picture."""

from __future__ import annotations

import math
from typing import Any

from assistant.distillation.run_folder import RunFolder

_NOT_A_LOSS = {"generation", "step", "learning_rate", "gradient_norm", "tokens", "seconds"}


def plot_curves(folder: RunFolder) -> bool:
    """Write curves.png from curves.csv and evaluations.csv.

    Returns:
        Whether it was written: without matplotlib, or without a curve, it is not.
    """
    rows = folder.table("curves.csv")
    if not rows:
        return False
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return False
    evaluations = folder.table("evaluations.csv")
    figure = Figure(figsize=(9, 4 if not evaluations else 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots(2 if evaluations else 1, 1, squeeze=False)[:, 0]
    _lines(axes[0], rows, [name for name in rows[0] if name not in _NOT_A_LOSS])
    axes[0].set_ylabel("loss")
    if evaluations:
        shown = [n for n in evaluations[0] if n in _MAIN] or [
            n for n in evaluations[0] if n not in _NOT_A_LOSS
        ]
        _lines(axes[1], evaluations, shown)
        axes[1].set_ylabel("held out")
    axes[-1].set_xlabel("step")
    figure.savefig(folder.path / "curves.png", dpi=110)
    return True


_MAIN = {"f1", "has_answer_f1", "no_answer_recall", "no_answer_precision", "loss", "accuracy"}


def _lines(axis: Any, rows: list[dict[str, str]], names: list[str]) -> None:
    """One line for each name; generations follow one another."""
    offset, before, at = 0, rows[0]["generation"], []
    last = 0
    for row in rows:
        if row["generation"] != before:
            offset, before = offset + last, row["generation"]
        last = int(row["step"])
        at.append(offset + last)
    for name in names:
        axis.plot(at, [float(row.get(name) or math.nan) for row in rows], label=name, linewidth=1)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
