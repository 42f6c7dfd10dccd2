"""What the store holds: entries with their provenance, and how they are told apart."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from indexes.encodings import text_key

Kind = Literal["qa", "statement"]
# "generated" by a teacher, "approved" (or corrected) by a person, "rejected": not used, and what
# is nearly the same is not written again.
Tier = Literal["generated", "approved", "rejected"]

TIERS: tuple[Tier, ...] = ("generated", "approved", "rejected")
ID_LENGTH = 12

_NOT_A_WORD = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class TokenProbabilities:
    """One token that the teacher wrote, and what else it could have written there.

    Attributes:
        token: as text.
        logprob: natural logarithm of its probability.
        top: (token, logprob) of the likeliest ones, best first.
        tail: probability of all others together, 1 − Σ exp(logprob of `top`), at least 0.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
    tail: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a teacher wrote for a passage, before it is judged.

    `question` and `answer` are empty for a statement, whose words are in `statement`.
    `likelihood` is the mean log-probability per token (nats, at most 0) of the answer or the
    statement; None where the teacher tells none.
    """

    kind: Kind
    question: str = ""
    answer: str = ""
    statement: str = ""
    likelihood: float | None = None
    tokens: tuple[TokenProbabilities, ...] = ()
    style: str = "plain"

    @property
    def text(self) -> str:
        """What is searched: the question, or the statement."""
        return self.question if self.kind == "qa" else self.statement

    @property
    def says(self) -> str:
        """What it claims: the answer, or the statement."""
        return self.answer if self.kind == "qa" else self.statement


@dataclass(frozen=True, slots=True)
class KnowledgeEntry:
    """An entry of the store.

    Attributes:
        text: what is searched: the question, or the statement.
        passage_id, document_id: where it comes from; it goes when the passage goes.
        passage_key: SHA-256 of the passage's `indexed_text`, 32 bytes: the text it was written for.
        likelihood: mean log-probability per token (nats); None where the teacher told none.
        grounding: in [0, 1], see `assistant.knowledge.grounding`.
        novelty: 1 − the largest cosine with an entry that was kept before, in [0, 2].
        score: what it was chosen by, see `assistant.knowledge.choosing`.
        created: ISO 8601, UTC.
    """

    id: str
    kind: Kind
    question: str
    answer: str
    text: str
    passage_id: str
    document_id: str
    passage_key: bytes
    teacher: str
    style: str
    likelihood: float | None
    grounding: float
    novelty: float
    score: float
    tier: Tier
    created: str

    @property
    def in_words(self) -> str:
        """Question and answer, or the statement, as one line."""
        return f"{self.question} {self.answer}" if self.kind == "qa" else self.text


def normal(text: str) -> str:
    """A text without case, punctuation and spacing: equal for what a person would call equal."""
    return _NOT_A_WORD.sub(" ", text.casefold()).strip()


def fingerprint(passage_key: bytes, text: str) -> bytes:
    """SHA-256 of a passage with what is asked or stated of it; equal up to `normal`."""
    return hashlib.sha256(passage_key + text_key(normal(text))).digest()


def entry_id(passage_key: bytes, text: str) -> str:
    """The id of an entry: twelve hexadecimal digits."""
    return fingerprint(passage_key, text).hex()[:ID_LENGTH]
