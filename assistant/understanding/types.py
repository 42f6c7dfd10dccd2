"""What understanding a message takes in and gives out; the same for every way of doing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from indexes.queries import QueryVector

Role = Literal["user", "assistant"]
# "distilled": the tagger of words; "small": the small language model; "person": they wrote it.
Way = Literal["rules", "model", "distilled", "small", "person"]
Act = Literal["question", "correction", "statement", "small talk", "command"]
# Acts that are no matter of documents: nothing is searched for.
REPLIED: tuple[Act, ...] = ("small talk", "command")
# What a query stands for: the question standing alone, the message as it was typed, one of
# several things asked, a likely answer, what is known of the person.
Aspect = Literal["question", "as asked", "part", "likely answer", "person"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation so far."""

    role: Role
    content: str


def last_answer(history: Sequence[Message]) -> str:
    """What was answered last; empty where nothing was."""
    return next((m.content for m in reversed(history) if m.role == "assistant"), "")


@dataclass(frozen=True, slots=True)
class AspectQuery:
    """One query for the indexes.

    `weight` is its share of the fusion, relative to the others. `context` is text whose meaning
    the query leans on by `context_weight` (the last answer): it moves the query's vector and adds
    no words. `vector` stands in place of both where the index is of its embedder.
    """

    text: str
    aspect: Aspect
    weight: float = 1.0
    context: str = ""
    context_weight: float = 0.0
    vector: QueryVector | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Understanding:
    """A message, understood in its conversation.

    Attributes:
        standalone: the question as it reads without the conversation.
        queries: what is searched for, at most five, the main one first.
        answer: a short likely answer, never shown as one; empty where none was written.
        act: what kind of message it is.
        clarify: a question that would serve better than an answer, or nothing.
        carried: words taken over from earlier messages.
        way: what understood it.
        reason: why it was understood so, in words.
        fallback: why the model's output was not used, where rules stood in for it.
        model_calls: calls of a language model that it took.
    """

    standalone: str
    queries: tuple[AspectQuery, ...]
    answer: str = ""
    act: Act = "question"
    clarify: str = ""
    carried: tuple[str, ...] = ()
    way: Way = "rules"
    reason: str = ""
    fallback: str = ""
    model_calls: int = field(default=0, compare=False)


class Understander(Protocol):
    """Makes a message stand alone. Implementations are safe to share between threads."""

    @property
    def way(self) -> Way:
        """How it works."""
        ...

    def understand(self, message: str, history: Sequence[Message]) -> Understanding:
        """`message` after `history`, oldest first. Never raises for what the messages contain."""
        ...


def stood_in(by_rules: Understanding, why: str, model_calls: int = 0) -> Understanding:
    """The rules' understanding in place of another that failed, saying why."""
    fallback = f"{why}; rules were used instead"
    return replace(by_rules, fallback=fallback, model_calls=model_calls)
