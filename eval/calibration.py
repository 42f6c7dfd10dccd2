"""How far a score tells whether a question can be answered, and what abstaining by it buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import UsageError

Floats = NDArray[np.float64]
_BINS = 10
_STEPS = 100
_FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """P(answerable | score) = 1 / (1 + exp(−(slope · score + offset)))."""

    slope: float
    offset: float

    def __call__(self, scores: Sequence[float] | Floats) -> Floats:
        """Probabilities (n,) of scores (n,)."""
        z = self.slope * np.asarray(scores, np.float64) + self.offset
        return np.asarray(0.5 * (1 + np.tanh(z / 2)), np.float64)  # never overflows


def fit_sigmoid(scores: Sequence[float], positive: Sequence[bool]) -> Sigmoid:
    """Platt's scaling (Platt, 1999) by Newton's method with halved steps (Lin, Lin, Weng, 2007).

    The targets are (N+ + 1) / (N+ + 2) and 1 / (N− + 2) in place of 1 and 0, so that classes that
    a score separates wholly do not make the slope infinite.

    Raises:
        UsageError: fewer than two scores, or all of one class.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if x.shape != y.shape or not np.isfinite(x).all() or y.all() or not y.any():
        raise UsageError(
            "a calibration needs questions with and without an answer, each with a finite score"
        )
    hits = int(y.sum())
    target = np.where(y, (hits + 1) / (hits + 2), 1 / (len(y) - hits + 2))
    centre, spread = float(x.mean()), float(x.std()) or 1.0
    design = np.stack([(x - centre) / spread, np.ones_like(x)], axis=1)  # (n, 2)
    found = np.array([0.0, np.log((hits + 1) / (len(y) - hits + 1))])
    value = _log_loss(design @ found, target)
    for _ in range(_STEPS):
        p = 0.5 * (1 + np.tanh(design @ found / 2))
        gradient = design.T @ (p - target)
        curvature = design.T @ (design * (p * (1 - p))[:, None]) + _FLAT * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > _FLAT and _log_loss(design @ (found - size * step), target) > value:
            size /= 2
        found = found - size * step
        now = _log_loss(design @ found, target)
        if value - now < _FLAT:
            break
        value = now
    slope = float(found[0]) / spread
    return Sigmoid(slope, float(found[1]) - slope * centre)


def expected_calibration_error(
    probabilities: Sequence[float] | Floats, positive: Sequence[bool], *, bins: int = _BINS
) -> float:
    """ECE (Guo et al., 2017, arXiv 1706.04599): Σ n_b / n · |share positive − mean p| over bins of
    equal width."""
    p, y = np.asarray(probabilities, np.float64), np.asarray(positive, np.float64)
    if not len(p):
        return 0.0
    which = np.minimum((p * bins).astype(int), bins - 1)
    counts = np.bincount(which, minlength=bins)
    gaps = np.abs(
        np.bincount(which, weights=y, minlength=bins)
        - np.bincount(which, weights=p, minlength=bins)
    )
    return float(gaps[counts > 0].sum() / len(p))


def reliability(
    probabilities: Sequence[float] | Floats, positive: Sequence[bool], *, bins: int = _BINS
) -> list[dict[str, float]]:
    """Of each bin that is not empty: `questions`, mean `predicted` and share `positive`."""
    p, y = np.asarray(probabilities, np.float64), np.asarray(positive, np.float64)
    which = np.minimum((p * bins).astype(int), bins - 1)
    return [
        {
            "questions": int((which == b).sum()),
            "predicted": round(float(p[which == b].mean()), 4),
            "positive": round(float(y[which == b].mean()), 4),
        }
        for b in range(bins)
        if (which == b).any()
    ]


def risk_coverage(scores: Sequence[float], losses: Sequence[float]) -> Floats:
    """Mean loss of the k questions with the highest scores, k = 1 … n, shape (n,).

    Equal scores are told apart by nothing, so each has the mean loss of its equals.
    """
    s, loss = np.asarray(scores, np.float64), np.asarray(losses, np.float64)
    if not len(s):
        return np.zeros(0)
    order = np.argsort(-s, kind="stable")
    _, group = np.unique(-s[order], return_inverse=True)
    means = np.bincount(group, weights=loss[order]) / np.bincount(group)
    return np.asarray(np.cumsum(means[group]) / np.arange(1, len(s) + 1), np.float64)


def area_under_risk_coverage(scores: Sequence[float], losses: Sequence[float]) -> float:
    """AURC (Geifman, Uziel, El-Yaniv, 2019, arXiv 1805.08206): the mean of `risk_coverage`."""
    curve = risk_coverage(scores, losses)
    return float(curve.mean()) if len(curve) else 0.0


def area_under_roc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """P(a positive scores higher than a negative), equal scores counting half; .5 without both."""
    s, y = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if y.all() or not y.any():
        return 0.5
    _, inverse, counts = np.unique(s, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]  # equal scores share their mean rank
    hits = int(y.sum())
    return float((ranks[y].sum() - hits * (hits + 1) / 2) / (hits * (len(y) - hits)))


def calibration(
    scores: Sequence[float],
    positive: Sequence[bool],
    losses: Sequence[float],
    fitted: Sigmoid | None,
) -> dict[str, Any]:
    """All of the above for one system.

    Args:
        positive: whether the question can be answered.
        losses: 1 − F1 of the answer if it has to answer, 1 for a question without an answer.
        fitted: on other questions; None leaves out what needs it.

    Where all questions can be answered, or none can, the score has nothing to tell apart: `auroc`
    is None and the sigmoid is left out.

    `aurc_best` is the area if the questions were ordered by their losses.
    """
    both = len(set(positive)) == 2
    found: dict[str, Any] = {
        "auroc": round(area_under_roc(scores, positive), 4) if both else None,
        "aurc": round(area_under_risk_coverage(scores, losses), 4),
        "aurc_best": round(area_under_risk_coverage([-loss for loss in losses], losses), 4),
    }
    if fitted is not None and both:
        probabilities = fitted(list(scores))
        found |= {
            "slope": round(fitted.slope, 4),
            "offset": round(fitted.offset, 4),
            "ece": round(expected_calibration_error(probabilities, positive), 4),
            "reliability": reliability(probabilities, positive),
        }
    return found


def _log_loss(z: Floats, target: Floats) -> float:
    # log(1 + e^z) − t z, without overflow
    return float((np.logaddexp(0, z) - target * z).sum())
