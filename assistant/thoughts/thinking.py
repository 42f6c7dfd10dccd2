"""The loop: read, extract, match, look for what is missing, until it is known or the budget spent.

seed       the passages found for the question; the walk over the graph's mentions ranks others
read       the best passages' facts that bear on the question enter the graph of thoughts
settle     does a fact fill a slot?
look on    a slot is open: the things that lead onward, with what is asked, become the next queries
rank       what the searches found and where the walk arrived, together

KGoT (arXiv 2504.02670) is the model of the loop; here every step is a typed operation, a vote or a
model call is the exception, and nothing is executed that was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.events import Event, GraphChanged, StepDecided
from assistant.thoughts.budget import Budget, Effort
from assistant.thoughts.changes import Change, CreateNode
from assistant.thoughts.executor import Operations
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.growing import add_facts, relevant_triples, spoken
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
from indexes.queries import Query

# Chosen on the development half of hotpotqa_100's questions; docs/thoughts.md has the tables.
SEEDS = 3  # passages that the walk starts at
ONWARD = 0.5  # damping of the walk
WALK_WEIGHT = 1.0  # of the walk beside the search
INSTANCES = 3  # things that are searched for in one round
INSTANCE_WEIGHT = 0.3  # of such a query beside the question itself
FETCHED = 30  # passages of the ranking that are looked at, found by the search or not
READ = 5  # passages whose facts enter the graph in one round

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
    """

    search: Search
    fetch: Fetch
    knowledge: Knowledge
    encoder: DenseEncoder | None
    queries: tuple[Query, ...]


class Thinker:
    """Thinks about one question; `outcome` is the result once `think` is through.

    Args:
        hits: what was found for the question, best first.
        budget: of model calls and seconds; it began when it was made.
    """

    def __init__(
        self, question: Question, hits: Sequence[Hit], means: Means, effort: Effort, budget: Budget
    ) -> None:
        self._means, self._budget = means, budget
        graph = ThoughtGraph()
        self._operations = Operations(graph)
        self._plan = Plan(question, graph)
        self.outcome = Outcome(question, effort, graph, list(hits))
        self._seeds: dict[str, float] = {}
        self._walked: dict[str, float] = {}
        self._passages = {hit.passage.id: hit.passage for hit in hits}
        self._read: set[str] = set()

    def think(self) -> Iterator[Event]:
        """The events of the work: each change of the graph, each decision with its reason."""
        out = self.outcome
        if out.effort.name == "off" or not out.hits:
            return
        yield self._change(self._plan.thoughts(), "what has to be known")
        self._walk()
        yield from self._take_in()
        for number in range(1, out.effort.rounds + 1):
            if not self._plan.open:
                break
            if out.stopped:
                break
            queries = self._next_queries()
            if not queries:
                break
            out.rounds = number
            out.searched += [query.text for query in queries]
            yield StepDecided("look for", "; ".join(query.text for query in queries))
            out.hits = list(self._means.search((*self._means.queries, *queries)))
            self._passages.update({hit.passage.id: hit.passage for hit in out.hits})
            yield from self._take_in()
        self._finish()

    # -- the steps --------------------------------------------------------------------------

    def _walk(self) -> None:
        """Where the seeds lead; passages that the search did not find are fetched."""
        hits = self.outcome.hits
        links = self._means.knowledge.links([hit.passage for hit in hits])
        self._seeds = {hit.passage.id: hit.score for hit in hits[:SEEDS]}
        self._walked = links.walk(self._seeds, onward=ONWARD)
        best = [identity for identity, _ in self._ranking()[:FETCHED]]
        missing = [identity for identity in best if identity not in self._passages]
        self._passages.update({p.id: p for p in self._means.fetch(missing)})

    def _ranking(self) -> list[tuple[str, float]]:
        found = [(hit.passage.id, hit.score) for hit in self.outcome.hits]
        return blended(found, self._walked, WALK_WEIGHT)

    def _take_in(self) -> Iterator[Event]:
        """Read the best passages that were not read yet; settle what their facts settle."""
        best = [i for i, _ in self._ranking() if i in self._passages][:READ]
        new = [self._passages[identity] for identity in best if identity not in self._read]
        self._read.update(passage.id for passage in new)
        asked = [self._plan.text(state.slot) for state in self._plan.open]
        extracted = self._means.knowledge.extractions(new)
        for passage, extraction in zip(new, extracted, strict=True):
            if why := self._budget.spent:
                self.outcome.stopped = why
                yield StepDecided("think", why)
                return
            triples = relevant_triples(extraction, passage, asked, self._means.encoder)
            node = Node(
                f"passage:{passage.id}", "passage", (passage.title or passage.id)[:MAX_LABEL]
            )
            yield self._change([CreateNode(node)], f"read: {node.label}")
            self._operations.know([source_of(passage)])
            for batch in add_facts(self._operations, passage, triples, self.outcome.rounds):
                yield GraphChanged(batch)
        yield from self._settle()

    def _settle(self) -> Iterator[Event]:
        for state in self._plan.open:
            text = self._plan.text(state.slot)
            facts = list(self.outcome.graph.facts())
            says = likeness(text, [self._said(fact) for fact in facts], self._means.encoder)
            fact = self._plan.settle(list(zip(facts, says, strict=True)), state)
            why = f"by {fact.id}" if fact else f"no fact read says: {text}"
            if changes := self._plan.told(state, why):
                yield self._change(changes, f"{state.slot.variable}: {why}")
            if fact:
                yield StepDecided(
                    "known", f"{text} → {self.outcome.graph.node(state.filled).label}"
                )

    def _said(self, fact: Fact) -> str:
        evidence = fact.evidence[0]
        passage = self._passages.get(evidence.source)
        return spoken(passage.title if passage else "", evidence.quote)

    def _next_queries(self) -> list[Query]:
        """The things that lead onward, each with what is asked; and the open slots' own words."""
        asked = self._means.queries[0]
        named = f" {normal_form(asked.text)} "
        names: list[str] = []
        for identity in sorted(self._walked, key=lambda i: (-self._walked[i], i)):
            passage = self._passages.get(identity)
            if passage is None or identity in self._seeds:
                continue
            name = without_qualifier(passage.title)
            if name and f" {normal_form(name)} " not in named and name not in names:
                names.append(name)
            if len(names) == INSTANCES:
                break
        self.outcome.names += [name for name in names if name not in self.outcome.names]
        texts = [f"{name} {asked.text}" for name in names]
        texts += [self._plan.text(s.slot) for s in self._plan.open if self._plan.filled_in(s.slot)]
        new = [text for text in texts if text not in self.outcome.searched]
        return [replace(asked, text=text, weight=INSTANCE_WEIGHT) for text in new]

    def _finish(self) -> None:
        """The final ranking, and what was found out."""
        out = self.outcome
        hits = {hit.passage.id: hit for hit in out.hits}
        ranked = [(i, score) for i, score in self._ranking() if i in self._passages]
        out.hits = [
            Hit(
                passage=self._passages[identity],
                rank=rank,
                score=score / (1 + WALK_WEIGHT),
                stages=hits[identity].stages if identity in hits else {},
                shares=hits[identity].shares if identity in hits else (),
            )
            for rank, (identity, score) in enumerate(ranked, start=1)
        ]
        out.support = tuple(dict.fromkeys(i for s in self._plan.slots for i in s.by))
        out.missing = tuple(self._plan.text(state.slot) for state in self._plan.open)
        out.names += [
            label
            for state in self._plan.slots
            if state.known
            and (label := self.outcome.graph.node(state.filled).label) not in out.names
        ]
        out.calls, out.tokens = self._budget.made, self._budget.tokens

    def _change(self, changes: Sequence[Change], reason: str) -> GraphChanged:
        batch = self.outcome.graph.apply(
            changes, author="rule", reason=reason[:MAX_TEXT], step=self.outcome.rounds
        )
        return GraphChanged(batch)
