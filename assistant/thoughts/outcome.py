"""What came of thinking about a question."""

from __future__ import annotations

from dataclasses import dataclass, field

from assistant.thoughts.budget import Effort
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.question import Question
from indexes.index import Hit


@dataclass(slots=True)
class Outcome:
    """The state of the work, and at its end the result.

    Attributes:
        hits: what was found, best first; ranks and order are final at the end.
        support: ids of the facts that fill slots.
        missing: the slots that stayed open, in words, with what is known put in.
        searched: the queries beyond the question's own.
        names: of things that led from one passage to the next.
        rounds, calls, tokens: what it cost; tokens are those that a model wrote.
        stopped: why it ended before everything was known; empty where it did not.
    """

    question: Question
    effort: Effort
    graph: ThoughtGraph
    hits: list[Hit]
    support: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    searched: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rounds: int = 0
    calls: int = 0
    tokens: int = 0
    stopped: str = ""
