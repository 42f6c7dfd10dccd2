"""The best of what a teacher wrote for a passage.

Best of n (RetriKT, arXiv 2310.15594, has quality and diversity in its reward; here they choose):

    score = mean log-probability of the answer's tokens (nats, ≤ 0) + grounding in the passage
            − near-duplicate penalty

    penalty = max(0, c − 0.8) / 0.2, where c is the largest cosine with an entry that is kept

The best one is taken, then the best of the rest with it among those kept, until there are enough.
Where the teacher tells no log-probabilities, that term is left out for all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from assistant.knowledge.entries import Candidate, KnowledgeEntry, entry_id, fingerprint, normal
from assistant.knowledge.grounding import MIN_GROUNDING, Ground
from assistant.knowledge.prompts import example_outputs
from indexes.documents import Passage
from indexes.encoders import DenseEncoder, FloatArray
from indexes.encodings import text_key

DUPLICATE = 0.95  # cosine from which a text says nothing new
_NEAR = 0.8

_REFUSAL = re.compile(
    r"\b(as an ai|language model|i cannot|i can't|i'm sorry|i am sorry|not (mentioned|specified|"
    r"provided|stated)|unknown|no information)\b",
    re.IGNORECASE,
)
# A question that only makes sense beside its passage cannot be asked by somebody else.
_DANGLING = re.compile(
    r"\b(the|this|that) (passage|text|article|paragraph|excerpt|author|document)\b"
    r"|^(when|where|why|how|what|who) (is|was|are|were|did|does|do|has|had) "
    r"(it|he|she|they|this|that)\b",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"\b(the|this) (name of the )?(band|team|film|movie|song|album|book|novel|company|city|town|"
    r"village|school|university|game|show|series|event|person|man|woman|actor|actress|player|"
    r"author|director|singer|group|war|battle|station|magazine|club|season|player|speaker|user)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=\s)[\"'“‘(]?[A-Z0-9]")  # a word after the first that begins like a name


class Vectors:
    """Unit vectors of the entries that are kept; grows."""

    def __init__(self, dimensions: int) -> None:
        self._rows = np.zeros((256, dimensions), dtype=np.float32)
        self.size = 0

    def add(self, vectors: FloatArray) -> None:
        """Keep more, of shape (rows, dimensions)."""
        needed = self.size + len(vectors)
        if needed > len(self._rows):
            grown = np.zeros((max(needed, 2 * len(self._rows)), self._rows.shape[1]), np.float32)
            grown[: self.size] = self._rows[: self.size]
            self._rows = grown
        self._rows[self.size : needed] = vectors
        self.size = needed

    def nearest(self, vectors: FloatArray) -> FloatArray:
        """The largest cosine of each with what is kept, of shape (rows,); 0 where nothing is."""
        if not self.size or not len(vectors):
            return np.zeros(len(vectors), dtype=np.float32)
        return np.asarray((vectors @ self._rows[: self.size].T).max(axis=1), dtype=np.float32)


@dataclass(slots=True)
class Choice:
    """What is kept of the candidates, their vectors, and why the others are not."""

    entries: list[KnowledgeEntry] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


class Chooser:
    """Chooses among candidates, remembering what is kept.

    Args:
        encoder: compares texts; None compares their words only up to case and punctuation.
        deleted: fingerprints of what a person deleted.
    """

    def __init__(self, encoder: DenseEncoder | None, deleted: set[bytes]) -> None:
        self._encoder, self._deleted = encoder, deleted
        self._kept = Vectors(encoder.dimensions if encoder else 1)
        self._texts: set[str] = set()
        self._copied = {normal(text) for text in example_outputs()}

    def remember(self, texts: Sequence[str], vectors: FloatArray | None) -> None:
        """What is kept already: near-duplicates of it are not wanted."""
        self._texts.update(normal(text) for text in texts)
        if vectors is not None and len(vectors):
            self._kept.add(vectors)

    def choose(
        self,
        passage: Passage,
        candidates: Sequence[Candidate],
        *,
        questions: int,
        statements: int,
        teacher: str,
    ) -> Choice:
        """The best `questions` pairs and `statements` statements; they are kept from now on."""
        choice, ground = Choice(), Ground(passage)
        key = text_key(passage.indexed_text)
        good: list[tuple[Candidate, float]] = []
        for candidate in candidates:
            grounding = ground.grounding(candidate)
            if why := self._fault(candidate, grounding, key):
                choice.dropped[why] += 1
            else:
                good.append((candidate, grounding))
        vectors = self._encode([candidate.text for candidate, _ in good])
        left = {"qa": questions, "statement": statements}
        remaining = list(range(len(good)))
        while remaining:
            near = self._nearest(vectors, remaining)
            scores = {i: _score(*good[i], near[i]) for i in remaining}
            best = max(remaining, key=lambda i: (scores[i], -i))
            remaining.remove(best)
            candidate, grounding = good[best]
            text = normal(candidate.text)
            if near[best] >= DUPLICATE or text in self._texts:
                choice.dropped["a near-duplicate"] += 1
                continue
            if not left[candidate.kind]:
                choice.dropped["not among the best"] += 1
                continue
            left[candidate.kind] -= 1
            self.remember([candidate.text], vectors[best : best + 1])
            choice.candidates.append(candidate)
            choice.entries.append(
                _entry(candidate, passage, key, teacher, grounding, near[best], scores[best])
            )
        return choice

    def _fault(self, candidate: Candidate, grounding: float, key: bytes) -> str:
        """Why a candidate is no entry; "" where it may be one."""
        text, says = normal(candidate.text), normal(candidate.says)
        if not text or not says:
            return "empty"
        if text in self._copied:
            return "copied from the examples"
        if _REFUSAL.search(candidate.says):
            return "a refusal"
        nameless = _GENERIC.search(candidate.text) and not _NAME.search(candidate.text)
        if nameless or _DANGLING.search(candidate.text):
            return "cannot stand alone"
        if candidate.kind == "qa" and says in text:
            return "the question holds the answer"
        if grounding < MIN_GROUNDING:
            return "not in the passage"
        if fingerprint(key, candidate.text) in self._deleted:
            return "deleted by a person"
        return ""

    def _encode(self, texts: Sequence[str]) -> FloatArray:
        if self._encoder is None or not texts:
            return np.zeros((len(texts), 1), dtype=np.float32)
        return self._encoder.encode(list(texts))

    def _nearest(self, vectors: FloatArray, rows: Sequence[int]) -> dict[int, float]:
        found = self._kept.nearest(vectors[list(rows)])
        return dict(zip(rows, found.tolist(), strict=True))


def near_duplicate_penalty(cosine: float) -> float:
    """0 up to a cosine of 0.8, then rising to 1 for equal texts."""
    return max(0.0, cosine - _NEAR) / (1.0 - _NEAR)


def _score(candidate: Candidate, grounding: float, near: float) -> float:
    likelihood = candidate.likelihood if candidate.likelihood is not None else 0.0
    return likelihood + grounding - near_duplicate_penalty(near)


def _entry(
    candidate: Candidate,
    passage: Passage,
    key: bytes,
    teacher: str,
    grounding: float,
    near: float,
    score: float,
) -> KnowledgeEntry:
    return KnowledgeEntry(
        id=entry_id(key, candidate.text),
        kind=candidate.kind,
        question=candidate.question,
        answer=candidate.answer,
        text=candidate.text,
        passage_id=passage.id,
        document_id=passage.document_id,
        passage_key=key,
        teacher=teacher,
        style=candidate.style,
        likelihood=candidate.likelihood,
        grounding=round(grounding, 4),
        novelty=round(1.0 - near, 4),
        score=round(score, 4),
        tier="generated",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
