"""Does a passage support a sentence? A score from meaning and words, in [0, 1].

    support = 0.5 · cos(sentence, evidence) + 0.5 · share of the sentence's content stems found

taken over the evidence sentences of a passage: the best cosine, and the words of the best two
sentences together (a summary joins sentences). A number in the sentence that the passage does
not contain caps the score: a wrong year is the most common and the most harmful invention.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answering.evidence import Sentence
from assistant.understanding.stems import stems
from indexes.encoders import DenseEncoder, FloatArray

# Chosen on squad2/dev by `benchmarks/calibrate.py support`; see docs/evaluation.md.
SUPPORT_THRESHOLD = 0.55
_WRONG_NUMBER_CAP = 0.4

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Support:
    """How well passage `number` supports a sentence, and which of its sentences does most."""

    number: int
    score: float
    sentence: Sentence


class SupportScorer:
    """Scores sentences against a fixed set of evidence sentences.

    These are encoded once, when the first sentence is scored: quotations are never scored.
    """

    def __init__(self, evidence: Sequence[Sentence], encoder: DenseEncoder | None) -> None:
        self._evidence = list(evidence)
        self._encoder = encoder
        self._stems = [set(stems(s.text)) for s in evidence]
        self._numbers = [set(_NUMBER.findall(s.text)) for s in evidence]
        self._vectors: FloatArray | None = None

    def score(self, text: str) -> list[Support]:
        """Support by each passage of the evidence, best first."""
        if not self._evidence:
            return []
        cosines = self._cosines(text)
        words, numbers = set(stems(text)), set(_NUMBER.findall(text))
        found = [
            self._of_passage(number, words, numbers, cosines)
            for number in dict.fromkeys(s.number for s in self._evidence)
        ]
        return sorted(found, key=lambda s: (-s.score, s.number))

    def score_by(self, text: str, source: Sentence) -> Support:
        """Support by one sentence, which need not be of the evidence."""
        return SupportScorer([source], self._encoder).score(text)[0]

    def _of_passage(
        self, number: int, words: set[str], numbers: set[str], cosines: FloatArray
    ) -> Support:
        rows = [i for i, s in enumerate(self._evidence) if s.number == number]
        overlap = {i: self._overlap(words, self._stems[i]) for i in rows}
        best = max(rows, key=lambda i: (cosines[i] + overlap[i], -i))
        second = max(rows, key=lambda i: self._overlap(words, self._stems[best] | self._stems[i]))
        together = self._overlap(words, self._stems[best] | self._stems[second])
        score = 0.5 * float(max(cosines[i] for i in rows)) + 0.5 * together
        known = set().union(*(self._numbers[i] for i in rows))
        if not numbers <= known:
            score = min(score, _WRONG_NUMBER_CAP)
        return Support(number, min(max(score, 0.0), 1.0), self._evidence[best])

    def _cosines(self, text: str) -> FloatArray:
        if self._encoder is None:
            words = set(stems(text))
            overlaps = [self._overlap(words, known) for known in self._stems]
            return np.asarray(overlaps, dtype=np.float32)
        if self._vectors is None:
            self._vectors = self._encoder.encode([s.text for s in self._evidence])
        return np.asarray(self._vectors @ self._encoder.encode([text])[0], dtype=np.float32)

    @staticmethod
    def _overlap(words: set[str], known: set[str]) -> float:
        # "Yes." says nothing that could be found in a passage, so nothing supports it.
        return len(words & known) / len(words) if words else 0.0
