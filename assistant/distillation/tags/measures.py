"""How well words are chosen, stem by stem: a word that is said twice counts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Judged:
    """One message: the probability of each candidate stem, and the stems that it leaves unsaid."""

    id: str
    domain: str
    found: dict[str, float]
    gold: frozenset[str]

    def counts(self, threshold: float) -> tuple[int, int, int]:
        """Right, chosen, wanted, where stems from the threshold on are chosen."""
        chosen = {stem for stem, value in self.found.items() if value >= threshold}
        return len(chosen & self.gold), len(chosen), len(self.gold)


def prf(judged: Sequence[Judged], threshold: float) -> tuple[float, float, float]:
    """Precision, recall and F1, counts added up over the messages; 0 where undefined."""
    right, chosen, wanted = (
        sum(parts) for parts in zip(*(one.counts(threshold) for one in judged), strict=True)
    )
    precision = right / chosen if chosen else 0.0
    recall = right / wanted if wanted else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def summarise(judged: Sequence[Judged]) -> dict[str, float]:
    """F1 at .5 and at the threshold that is best, which is given too, and average precision."""
    steps = [step / 100 for step in range(5, 100, 5)]
    threshold = max(steps, key=lambda step: (prf(judged, step)[2], -abs(step - 0.5)))
    precision, recall, best = prf(judged, threshold)
    return {
        "f1_half": round(prf(judged, 0.5)[2], 4),
        "threshold": threshold,
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(best, 4),
        "average_precision": round(average_precision(judged), 4),
    }


def average_precision(judged: Sequence[Judged]) -> float:
    """Mean over all wanted stems of the precision at their rank, all messages in one list.

    A stem that is no candidate (cut off, or not in the history) is never found and counts 0.
    """
    ranked = [(value, stem in one.gold) for one in judged for stem, value in one.found.items()]
    wanted = sum(len(one.gold) for one in judged)
    if not ranked or not wanted:
        return 0.0
    ranked.sort(key=lambda item: -item[0])
    hits = np.array([hit for _, hit in ranked], np.float64)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / wanted)
