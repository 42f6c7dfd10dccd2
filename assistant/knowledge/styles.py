"""Which way of asking brings the most on these documents: a bandit over prompt styles.

RetriKT (arXiv 2310.15594) tunes soft prompts of the teacher by a reward for quality and diversity.
A teacher behind a GGUF runtime or an endpoint has no soft prompts to tune. What can be tuned is
which of a few written prompts it is given: UCB1 (Auer, Cesa-Bianchi and Fischer, 2002) over
`prompts.STYLES`, the reward of a passage being the mean score (likelihood, grounding, no
near-duplicates) over as many entries as were asked for. What was learnt is kept with the index.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from assistant.errors import UnknownNameError
from assistant.knowledge.prompts import STYLES

PLAIN, TUNED = "plain", "tuned"
# Rewards lie in about [−1, 1]; UCB1's bound is for [0, 1].
_LOW, _HIGH = -1.0, 1.0


class StyleChooser:
    """Chooses the style of the next passage. Belongs to one thread.

    Args:
        style: "tuned", or the one style that is always used.
        known: (how often, sum of rewards) by style, from earlier builds.

    Raises:
        UnknownNameError: there is no such style.
    """

    def __init__(self, style: str, known: Mapping[str, tuple[int, float]]) -> None:
        if style != TUNED and style not in STYLES:
            raise UnknownNameError("style", style, (TUNED, *STYLES))
        self._fixed = None if style == TUNED else style
        self._pulls = {name: known.get(name, (0, 0.0))[0] for name in STYLES}
        self._sums = {name: known.get(name, (0, 0.0))[1] for name in STYLES}
        # Asked for and not answered yet: several calls run at once and shall not all try the same.
        self._open = dict.fromkeys(STYLES, 0)

    def next(self) -> str:
        """The style with the highest upper bound; each is tried once first."""
        if self._fixed is not None:
            return self._fixed
        total = sum(self._pulls.values()) + sum(self._open.values())
        best = max(STYLES, key=lambda name: self._bound(name, total))
        self._open[best] += 1
        return best

    def release(self, style: str) -> None:
        """A passage that it was given for said nothing about it."""
        self._open[style] = max(0, self._open[style] - 1)

    def learn(self, style: str, reward: float) -> None:
        """What a style brought for one passage."""
        self.release(style)
        self._pulls[style] += 1
        self._sums[style] += reward

    def mean(self, style: str) -> float | None:
        """Its mean reward; None where it was never tried."""
        pulls = self._pulls[style]
        return self._sums[style] / pulls if pulls else None

    def _bound(self, style: str, total: int) -> float:
        pulls = self._pulls[style] + self._open[style]
        if not pulls:
            return math.inf
        mean = self.mean(style)
        scaled = 0.5 if mean is None else (mean - _LOW) / (_HIGH - _LOW)
        return min(max(scaled, 0.0), 1.0) + math.sqrt(2 * math.log(max(total, 2)) / pulls)
