"""The elementary steps of thinking about one question, and the state that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.events import Event, GraphChanged, StepDecided
from assistant.thoughts.budget import Budget
from assistant.thoughts.changes import Change, CreateNode
from assistant.thoughts.effort import Effort
from assistant.thoughts.executor import Operations
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.growing import add_facts, merge_names, relevant_triples, spoken, stated
from assistant.thoughts.knowledge import Knowledge, source_of
from assistant.thoughts.likeness import likeness
from assistant.thoughts.linking import without_qualifier
from assistant.thoughts.model import MAX_LABEL, MAX_TEXT, Fact, Node, normal_form
from assistant.thoughts.outcome import Outcome
from assistant.thoughts.plan import Plan
from assistant.thoughts.question import Question
from assistant.thoughts.ranking import blended
from indexes.documents import Passage
from indexes.encoders import DenseEncoder
from indexes.index import Hit
from indexes.queries import MAX_QUERIES, Query

# Chosen on the development half of hotpotqa_100's questions; docs/thoughts.md has the tables.
SEEDS = 3  # passages that the walk starts at
ONWARD = 0.5  # damping of the walk
WALK_WEIGHT = 1.0  # of the walk beside the search
INSTANCES = 3  # things that are searched for in one round
INSTANCE_WEIGHT = 0.3  # of such a query beside the question itself
FETCHED = 30  # passages of the ranking that are looked at, found by the search or not
READ = 5  # passages whose facts enter the graph in one round
READ_LOOKUP = 3  # …where nothing has to be put together

Search = Callable[[Sequence[Query]], Sequence[Hit]]
Fetch = Callable[[Sequence[str]], Sequence[Passage]]


@dataclass(frozen=True, slots=True)
class Means:
    """What the loop works with.

    Attributes:
        search: finds passages for several queries at once, best first.
        fetch: passages by id; unknown ids are left out.
        knowledge: what passages mention and state.
        encoder: compares sentences with what is asked; None: by words.
        queries: those that the question's own search used.
        without: ids of facts that the person took away for this question.
    """

    search: Search
    fetch: Fetch
    knowledge: Knowledge
    encoder: DenseEncoder | None
    queries: tuple[Query, ...]
    without: frozenset[str] = frozenset()


class Work:
    """One question's work: what was found, read, settled. Each step gives its events.

    Args:
        hits: what was found for the question, best first.
        budget: of model calls and seconds; it began when it was made.
    """

    def __init__(
        self, question: Question, hits: Sequence[Hit], means: Means, effort: Effort, budget: Budget
    ) -> None:
        self.means, self.budget = means, budget
        graph = ThoughtGraph()
        self.operations = Operations(graph, without=means.without)
        self.plan = Plan(question, graph)
        self.outcome = Outcome(question, effort, graph, list(hits))
        # Where the question names nothing, nothing leads on: the search's own order stands.
        self.leads_on = question.kind != "lookup" or bool(question.names)
        self._weight = WALK_WEIGHT if self.leads_on else 0.0
        self._seeds: dict[str, float] = {}
        self._walked: dict[str, float] = {}
        self.passages = {hit.passage.id: hit.passage for hit in hits}
        self._read: set[str] = set()
        self._more: list[Query] = []

    def walk(self) -> None:
        """Where the seeds lead; passages that the search did not find are fetched."""
        if not self.leads_on:
            return
        hits = self.outcome.hits
        links = self.means.knowledge.links([hit.passage for hit in hits])
        self._seeds = {hit.passage.id: hit.score for hit in hits[:SEEDS]}
        self._walked = links.walk(self._seeds, onward=ONWARD)
        best = [identity for identity, _ in self.ranking()[:FETCHED]]
        missing = [identity for identity in best if identity not in self.passages]
        self.passages.update({p.id: p for p in self.means.fetch(missing)})

    def ranking(self) -> list[tuple[str, float]]:
        found = [(hit.passage.id, hit.score) for hit in self.outcome.hits]
        return blended(found, self._walked, self._weight)

    def take_in(self) -> Iterator[Event]:
        """Read the best passages that were not read yet; settle what their facts settle."""
        most = READ_LOOKUP if self.plan.question.kind == "lookup" else READ
        best = [i for i, _ in self.ranking() if i in self.passages][:most]
        new = [self.passages[identity] for identity in best if identity not in self._read]
        self._read.update(passage.id for passage in new)
        asked = [self.plan.text(state.slot) for state in self.plan.open]
        extracted = self.means.knowledge.extractions(new)
        if self.means.encoder is not None:  # all in one batch: what follows finds them encoded
            self.means.encoder.encode(
                [text for p, e in zip(new, extracted, strict=True) for text in stated(e, p)]
            )
        for passage, extraction in zip(new, extracted, strict=True):
            if why := self.budget.spent:
                self.outcome.stopped = why
                yield StepDecided("think", why)
                return
            triples = relevant_triples(extraction, passage, asked, self.means.encoder)
            node = Node(
                f"passage:{passage.id}", "passage", (passage.title or passage.id)[:MAX_LABEL]
            )
            yield self.change([CreateNode(node)], f"read: {node.label}")
            self.operations.know([source_of(passage)])
            for batch in add_facts(self.operations, passage, triples, self.outcome.rounds):
                yield GraphChanged(batch)
            step = self.outcome.rounds
            for batch in merge_names(self.operations, extraction, passage.text, step):
                self.plan.follow(batch)
                yield GraphChanged(batch)
        yield from self._settle()

    def _settle(self) -> Iterator[Event]:
        for state in self.plan.open:
            text = self.plan.text(state.slot)
            facts = list(self.outcome.graph.facts())
            says = likeness(text, [self._said(fact) for fact in facts], self.means.encoder)
            fact = self.plan.settle(list(zip(facts, says, strict=True)), state)
            why = f"by {fact.id}" if fact else f"no fact read says: {text}"
            if changes := self.plan.told(state, why):
                yield self.change(changes, f"{state.slot.variable}: {why}")
            if fact:
                yield StepDecided(
                    "known", f"{text} → {self.outcome.graph.node(state.filled).label}"
                )

    def _said(self, fact: Fact) -> str:
        evidence = fact.evidence[0]
        passage = self.passages.get(evidence.source)
        return spoken(passage.title if passage else "", evidence.quote)

    def next_texts(self) -> list[str]:
        """The things that lead onward, each with what is asked; and the open slots' own words."""
        asked = self.means.queries[0]
        named = f" {normal_form(asked.text)} "
        names = self.plan.found_names()
        for identity in sorted(self._walked, key=lambda i: (-self._walked[i], i)):
            passage = self.passages.get(identity)
            if passage is None or identity in self._seeds:
                continue
            name = without_qualifier(passage.name)
            if name and f" {normal_form(name)} " not in named and name not in names:
                names.append(name)
            if len(names) >= INSTANCES:
                break
        self.outcome.names += [name for name in names if name not in self.outcome.names]
        texts = [f"{name} {asked.text}" for name in names]
        texts += [self.plan.text(s.slot) for s in self.plan.open if self.plan.filled_in(s.slot)]
        return [text for text in texts if text not in self.outcome.searched]

    def look_for(self, texts: Sequence[str], weight: float = INSTANCE_WEIGHT) -> Iterator[Event]:
        """Search for these beside the question, and read what comes up.

        Args:
            weight: of each beside the question's own query; those of earlier rounds keep theirs.
        """
        out, asked = self.outcome, self.means.queries[0]
        out.rounds += 1
        out.searched += texts
        yield StepDecided("look for", "; ".join(texts))
        # A vector that the question brought is of the question, and not of what is looked for now.
        self._more += [replace(asked, text=text, weight=weight, vector=None) for text in texts]
        latest = self._more[-(MAX_QUERIES - len(self.means.queries)) :]
        out.hits = list(self.means.search((*self.means.queries, *latest)))
        self.passages.update({hit.passage.id: hit.passage for hit in out.hits})
        yield from self.take_in()

    def finish(self) -> None:
        """The final ranking, and what was found out."""
        out = self.outcome
        hits = {hit.passage.id: hit for hit in out.hits}
        ranked = [(i, score) for i, score in self.ranking() if i in self.passages]
        out.hits = [
            Hit(
                passage=self.passages[identity],
                rank=rank,
                score=score / (1 + self._weight),
                stages=hits[identity].stages if identity in hits else {},
                shares=hits[identity].shares if identity in hits else (),
            )
            for rank, (identity, score) in enumerate(ranked, start=1)
        ]
        out.support = tuple(dict.fromkeys(i for s in self.plan.slots for i in s.by))
        out.known = tuple(
            (self.plan.text(state.slot), out.graph.node(state.filled).label)
            for state in self.plan.slots
            if state.known
        )
        out.missing = tuple(self.plan.text(state.slot) for state in self.plan.open)
        out.names += [
            label
            for state in self.plan.slots
            if state.known
            and (label := self.outcome.graph.node(state.filled).label) not in out.names
        ]
        out.calls, out.tokens = self.budget.made, self.budget.tokens
        out.left_out = tuple(dict.fromkeys(self.operations.left_out))

    def change(self, changes: Sequence[Change], reason: str) -> GraphChanged:
        batch = self.outcome.graph.apply(
            changes, author="rule", reason=reason[:MAX_TEXT], step=self.outcome.rounds
        )
        return GraphChanged(batch)
