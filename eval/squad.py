"""SQuAD 2.0's measures (Rajpurkar et al., 2018, arXiv 1806.03822): normalised EM and F1.

A question without an answer is right exactly when the system abstains; abstaining on one with an
answer counts 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.text_overlap import exact_match, f1, normalise

__all__ = ["Judged", "exact_match", "f1", "judge", "normalise", "summarise"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One question's outcome. `answerable` is gold, `abstained` what the system did."""

    answerable: bool
    abstained: bool
    em: float
    f1: float


def judge(answer: str | None, gold: Sequence[str], *, answerable: bool) -> Judged:
    """Judge an answer; None means that the system abstained."""
    if not answerable:
        right = float(answer is None)
        return Judged(False, answer is None, right, right)
    if answer is None:
        return Judged(True, True, 0.0, 0.0)
    return Judged(True, False, exact_match(answer, gold), f1(answer, gold))


def summarise(outcomes: Sequence[Judged]) -> dict[str, float]:
    """EM, F1, HasAns_F1, NoAns_F1, and precision and recall of abstaining (0 where undefined)."""
    answerable = [o for o in outcomes if o.answerable]
    impossible = [o for o in outcomes if not o.answerable]
    abstained = [o for o in outcomes if o.abstained]
    rightly = sum(1 for o in abstained if not o.answerable)
    values = {
        "EM": _mean([o.em for o in outcomes]),
        "F1": _mean([o.f1 for o in outcomes]),
        "HasAns_EM": _mean([o.em for o in answerable]),
        "HasAns_F1": _mean([o.f1 for o in answerable]),
        "NoAns_F1": _mean([o.f1 for o in impossible]),
        "abstain_precision": rightly / len(abstained) if abstained else 0.0,
        "abstain_recall": rightly / len(impossible) if impossible else 0.0,
    }
    return {name: round(value, 4) for name, value in values.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
