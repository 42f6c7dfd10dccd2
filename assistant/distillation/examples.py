"""A training example, whatever it comes from."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from assistant.understanding.types import Message

_LEAST_ANSWER = 8  # words


def is_telling_answer(text: str) -> bool:
    """Whether an answer in a conversation tells it from others: "I don't know." does not."""
    return len(re.findall(r"\w+", text)) >= _LEAST_ANSWER


def hash_texts(*texts: str) -> str:
    """SHA-256 of several texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and what is to be written after it.

    The prompt is `prefix + prompt`. Examples with the same prefix (questions about one passage) are
    packed so that the prefix is read once. Only the completion is learnt.

    Attributes:
        id: stays the same from run to run.
        domain: for a breakdown and for sampling by domain (a title, a collection).
        weight: how much its tokens count.
        origin: "gold" (people wrote the completion), "teacher", or "student".
        difficulty: for a curriculum; larger is harder, 0 where nothing is known.
        asks, reads: questions and passages that the prompt is made of, by which training and
            reporting data are told apart; empty: the prompt is the question, the prefix what is
            read.
    """

    id: str
    prefix: str
    prompt: str
    completion: str
    domain: str = ""
    weight: float = 1.0
    origin: str = "gold"
    difficulty: float = 0.0
    asks: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def text_hash(self) -> str:
        """SHA-256 of all its text: what tells training and reporting data apart."""
        return hash_texts(self.prefix, self.prompt, self.completion)


@dataclass(frozen=True, slots=True)
class SpanExample:
    """A question, a passage, and where in the passage the answer stands.

    Attributes:
        start, end: characters of the passage; −1 where it does not answer.
        answers: all texts that count as right; empty where the passage does not answer.

    The others are those of `Example`.
    """

    id: str
    question: str
    title: str
    passage: str
    start: int
    end: int
    answers: tuple[str, ...] = ()
    domain: str = ""
    weight: float = 1.0
    origin: str = "gold"
    difficulty: float = 0.0

    @property
    def answerable(self) -> bool:
        return self.start >= 0

    @property
    def text_hash(self) -> str:
        """SHA-256 of question, passage and place."""
        return hash_texts(self.question, self.passage, str(self.start), str(self.end))


@dataclass(frozen=True, slots=True)
class RankExample:
    """A query with its candidates, in the order in which a search brought them.

    Attributes:
        passages: C candidates, each as one text with its title before it.
        relevant: places in `passages` of those that answer; at least one, not all.
        scores: (C,) a teacher's logits; empty where there is none. Only differences matter.
        fused: (C,) scores of the search itself, in [0, 1]; empty where they are not known.

    The others are those of `Example`.
    """

    id: str
    query: str
    passages: tuple[str, ...]
    relevant: tuple[int, ...]
    scores: tuple[float, ...] = ()
    fused: tuple[float, ...] = ()
    domain: str = ""
    weight: float = 1.0
    origin: str = "gold"
    difficulty: float = 0.0

    @property
    def text_hash(self) -> str:
        """SHA-256 of the query and its candidates."""
        return hash_texts(self.query, *self.passages)


@dataclass(frozen=True, slots=True)
class TextPair:
    """A short text and the passage that it belongs to; nothing says how well they fit.

    The fields are those of `Example`.
    """

    id: str
    query: str
    passage: str
    domain: str = ""
    weight: float = 1.0
    origin: str = "gold"
    difficulty: float = 0.0

    @property
    def text_hash(self) -> str:
        """SHA-256 of both texts."""
        return hash_texts(self.query, self.passage)


@dataclass(frozen=True, slots=True)
class TagExample:
    """A message in its conversation, and how it reads without the conversation.

    Attributes:
        history: what was said before, oldest first.
        resolved: the message as a question that stands alone.

    The others are those of `Example`.
    """

    id: str
    message: str
    history: tuple[Message, ...]
    resolved: str
    domain: str = ""
    weight: float = 1.0
    origin: str = "gold"
    difficulty: float = 0.0

    @property
    def told(self) -> tuple[str, ...]:
        """What was answered before, but for what anybody answers."""
        answers = (one.content for one in self.history if one.role == "assistant")
        return tuple(filter(is_telling_answer, answers))

    @property
    def text_hash(self) -> str:
        """SHA-256 of the whole conversation and of how the message is meant."""
        said = (f"{one.role}: {one.content}" for one in self.history)
        return hash_texts(*said, self.message, self.resolved)


AnyExample = Example | SpanExample | RankExample | TextPair | TagExample
