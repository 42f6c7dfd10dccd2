"""Choosing the reliance dial's two constants, on facts whose figures are not reported."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answering.dial import Share
from eval.dialled import Setting, TorchDialled
from eval.reliance import KnownEdit, RelianceRow, cases, prompts
from indexes.progress import OnProgress, Progress

KS = (0.0, 1.0, 4.0, math.inf)
PLAUSIBLES = (0.01, 0.1)
_AT: tuple[Share, ...] = (0.0, 0.5, 1.0, "auto")
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Choice:
    """What a pair of constants gives.

    Attributes:
        follows: share of answers that name the edited thing, at 0, ½ and 1.
        mix: share of right answers on the mix at 0, ½, 1 and auto.
    """

    k: float
    plausible: float
    follows: tuple[float, float, float]
    mix: tuple[float, float, float, float]

    @property
    def worth(self) -> float:
        """What is chosen by: how far the dial moves answers, and how much auto gains over the
        better end; both count alike."""
        return self.follows[0] - self.follows[2] + self.mix[3] - max(self.mix[0], self.mix[2])


def compare_constants(
    model: TorchDialled,
    known: Sequence[KnownEdit],
    *,
    on_progress: OnProgress = lambda progress: None,
) -> list[Choice]:
    """Every pair of constants on the same questions, the best first."""
    pairs = list(itertools.product(KS, PLAUSIBLES))
    wanted = [Setting(at, k, plausible) for k, plausible in pairs for at in _AT]
    every = cases(known)
    rows: dict[tuple[float, float], list[RelianceRow]] = {pair: [] for pair in pairs}
    started = time.monotonic()
    for begin in range(0, len(every), _BATCH):
        chunk = every[begin : begin + _BATCH]
        for case, answers in zip(chunk, model.settings(prompts(chunk), wanted), strict=True):
            for place, pair in enumerate(pairs):
                own = answers[place * len(_AT) : (place + 1) * len(_AT)]
                rows[pair].append(RelianceRow(*case, dict(zip(_AT, own, strict=True))))
        seconds = time.monotonic() - started
        on_progress(Progress("compare", begin + len(chunk), len(every), "answers", seconds))
    return sorted((_choice(pair, rows[pair]) for pair in pairs), key=lambda c: -c.worth)


def _choice(pair: tuple[float, float], rows: Sequence[RelianceRow]) -> Choice:
    rows = [row for row in rows if row.decidable]
    against = [row for row in rows if row.kind == "contradicting"]

    def follows(at: Share) -> float:
        return sum(row.follows(at) for row in against) / len(against)

    def mix(at: Share) -> float:
        return sum(row.right(at) for row in rows) / len(rows)

    return Choice(
        *pair,
        (follows(0.0), follows(0.5), follows(1.0)),
        (mix(0.0), mix(0.5), mix(1.0), mix("auto")),
    )
