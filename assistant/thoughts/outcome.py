"""What came of thinking about a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assistant.thoughts.effort import Effort
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Evidence, Fact
from assistant.thoughts.question import Question
from assistant.thoughts.support import what_is_missing
from assistant.thoughts.verbalise import fact_in_words
from indexes.index import Hit


@dataclass(slots=True)
class Outcome:
    """The state of the work, and at its end the result.

    Attributes:
        hits: what was found, best first; ranks and order are final at the end.
        support: ids of the facts that fill slots.
        known: the slots that are filled: what was asked, and with what.
        missing: the slots that stayed open, in words, with what is known put in.
        searched: the queries beyond the question's own.
        names: of things that led from one passage to the next.
        chosen: ids of the facts that the model picked out.
        asked: questions that the model wrote for what was missing.
        vote: the answer that most readings agreed on; empty without a vote or a majority.
        rounds, calls, tokens: what it cost; tokens are those that a model wrote.
        stopped: why it ended before everything was known; empty where it did not.
        left_out: where the facts were stated that the person took away for this question.
    """

    question: Question
    effort: Effort
    graph: ThoughtGraph
    hits: list[Hit]
    support: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    known: tuple[tuple[str, str], ...] = ()
    searched: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    vote: str = ""
    rounds: int = 0
    calls: int = 0
    tokens: int = 0
    stopped: str = ""
    left_out: tuple[Evidence, ...] = ()

    @property
    def carried(self) -> tuple[str, ...]:
        """What else the sentences worth reading are about: names found on the way."""
        return (*self.names, *filter(None, (self.vote,)))

    def evidence_for(self, question: str) -> str:
        """What sentences worth reading are about: the question, and what it came down to."""
        return f"{self.asked[-1]} {question}" if self.asked else question

    def in_words(
        self, numbers: Mapping[str, int] | None = None, *, every: bool = False
    ) -> tuple[str, ...]:
        """The facts that the answer rests on, in words: those the model picked, else those that
        settled slots.

        Args:
            numbers: of passages by id; a fact ends with those of its passages, in brackets.
            every: all facts that were read in these passages, by the first of their numbers and
                then in the order of reading, those that the answer rests on before the others.
        """
        numbers = numbers or {}
        labels = {node.id: node.label for node in self.graph.nodes()}
        facts = [self.graph.fact(i) for i in dict.fromkeys(self.chosen or self.support)]
        if every:
            known = {fact.id for fact in facts}
            more = [f for f in self.graph.facts() if f.id not in known and _cited(f, numbers)]
            facts += sorted(more, key=lambda fact: min(_cited(fact, numbers)))
        return tuple(
            fact_in_words(fact, labels, cite=None)
            + "".join(f" [{number}]" for number in _cited(fact, numbers))
            for fact in facts
            if not fact.obsolete
        )

    def missing_fact(self) -> str:
        """What would have to be known, in words; empty where the question is a single lookup."""
        if self.question.kind == "lookup" or not self.missing:
            return ""
        return what_is_missing(self.known, self.missing[0], len(self.searched))


def _cited(fact: Fact, numbers: Mapping[str, int]) -> list[int]:
    return [numbers[passage] for passage in fact.passages if passage in numbers]
