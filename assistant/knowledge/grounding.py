"""Is what a teacher wrote in the passage? A score in [0, 1] from words and numbers.

    grounding = 0.7 · share of what it says found there + 0.3 · share of the question found there

An answer that stands in the passage word for word is found whole; else the share of its content
stems counts. A number that neither passage nor title has caps the score, as in
`assistant.answering.support`: a wrong year is the most common and most harmful invention. Names
of what is asked about often stand in the title or the headings only, so these count as well.
"""

from __future__ import annotations

import re

from assistant.knowledge.entries import Candidate, normal
from assistant.understanding.stems import stems
from indexes.documents import Passage

MIN_GROUNDING = 0.5
_SAYS, _ASKS = 0.7, 0.3
_WRONG_NUMBER = 0.4

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class Ground:
    """One passage, to look things up in."""

    def __init__(self, passage: Passage) -> None:
        whole = passage.indexed_text
        self._normal = f" {normal(whole)} "
        self._stems = set(stems(whole))
        self._numbers = set(_NUMBER.findall(whole))

    def grounding(self, candidate: Candidate) -> float:
        """How much of a candidate stands in the passage, in [0, 1]."""
        says = self._found(candidate.says)
        if candidate.kind == "statement":
            score = says
        else:
            score = _SAYS * says + _ASKS * self._share(candidate.question)
        numbers = set(_NUMBER.findall(f"{candidate.says} {candidate.question}"))
        return score if numbers <= self._numbers else min(score, _WRONG_NUMBER)

    def _found(self, text: str) -> float:
        words = normal(text)
        return 1.0 if words and f" {words} " in self._normal else self._share(text)

    def _share(self, text: str) -> float:
        wanted = set(stems(text))
        # "Yes." says nothing that could be found in a passage.
        return len(wanted & self._stems) / len(wanted) if wanted else 0.0
