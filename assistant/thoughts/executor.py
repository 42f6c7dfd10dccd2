"""Executing the typed operations: the only way in which a question's work changes its graph."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from assistant.errors import GraphError
from assistant.thoughts.calculate import calculate, value_text
from assistant.thoughts.changes import Author
from assistant.thoughts.comparing import compare
from assistant.thoughts.extraction.types import Source
from assistant.thoughts.filters import Filter
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.grounding import grounded
from assistant.thoughts.matching import MAX_ROWS, Matches, Pattern, match, relation_names
from assistant.thoughts.model import Evidence
from assistant.thoughts.operations import (
    AddFact,
    Answer,
    Calculate,
    Compare,
    Count,
    Match,
    MergeEntities,
    Neighbours,
    Operation,
    Path,
    Retract,
    Search,
)
from assistant.thoughts.paths import Neighbourhood, Paths, neighbours, shortest_paths
from assistant.thoughts.results import (
    Answered,
    Calculated,
    Counted,
    FactAdded,
    Merged,
    Result,
    Retracted,
    Searched,
)
from assistant.thoughts.writing import addition, merging, one_node, retraction

Searching = Callable[[str], Iterable[Source]]


class Operations:
    """Operations on one graph.

    Args:
        search: finds passages for a query; without it, `search` is refused.
        passages: the passages at hand, by id, as text or with their title; what a search finds
            comes to them.
        without: ids of facts that do not count here, whoever states them.

    Attributes:
        left_out: where the facts were stated that `without` kept out.
    """

    def __init__(
        self,
        graph: ThoughtGraph,
        *,
        search: Searching | None = None,
        passages: Mapping[str, str | Source] | None = None,
        without: Collection[str] = (),
    ) -> None:
        self.graph = graph
        self.left_out: list[Evidence] = []
        self._without = frozenset(without)
        self._search = search
        self._passages = {
            identity: value if isinstance(value, Source) else Source(identity, value)
            for identity, value in (passages or {}).items()
        }

    @property
    def passages(self) -> Mapping[str, Source]:
        """The passages that can be quoted, by id."""
        return self._passages

    def know(self, sources: Iterable[Source]) -> None:
        """These passages are at hand too."""
        self._passages.update((source.id, source) for source in sources)

    def execute(
        self, operation: Operation, *, author: Author, reason: str = "", step: int = 0
    ) -> Result:
        """Carry out one operation, entirely or not at all.

        Args:
            reason: for the log; by default what the operation is.

        Raises:
            GraphError: it does not fit the graph; neither graph nor log has changed.
            KnowledgeAssistantError: the search failed.
        """
        reason = reason or operation.op.replace("_", " ")
        match operation:
            case AddFact():
                return self._add(operation, author, reason, step)
            case MergeEntities():
                return self._merge(operation, author, reason, step)
            case Retract():
                change = retraction(self.graph, operation, author)
                batch = self.graph.apply([change], author=author, reason=reason, step=step)
                return Retracted(self.graph.fact(operation.fact), batch)
            case Match():
                return self._match(operation, operation.limit)
            case Count():
                return self._count(operation)
            case Neighbours():
                return self._neighbours(operation)
            case Path():
                return self._path(operation)
            case Compare(left=left, right=right, relation=relation):
                flags = {"negated": operation.negated, "hedged": operation.hedged}
                return compare(self.graph, left, right, relation, **flags)
            case Calculate(expression=expression):
                value = calculate(expression)
                return Calculated(expression, value, value_text(value))
            case Search(query=query):
                return self._searched(query)
            case Answer():
                return self._answer(operation, author)

    def _add(self, operation: AddFact, author: Author, reason: str, step: int) -> FactAdded:
        evidence = grounded(operation, self._passages, author)
        found = addition(self.graph, operation, evidence, author, step)
        if found.fact in self._without:
            self.left_out += evidence
            raise GraphError(f"fact {found.fact} was taken away for this question")
        batch = None
        if found.changes:
            batch = self.graph.apply(found.changes, author=author, reason=reason, step=step)
        return FactAdded(self.graph.fact(found.fact), found.outcome, found.created, batch)

    def _merge(self, operation: MergeEntities, author: Author, reason: str, step: int) -> Merged:
        found = merging(self.graph, operation.keep, operation.drop)
        batch = self.graph.apply(found.changes, author=author, reason=reason, step=step)
        return Merged(self.graph.node(found.keep), found.moved, found.obsolete, batch)

    def _match(self, operation: Match | Count, limit: int) -> Matches:
        return match(
            self.graph,
            [Pattern(p.subject, p.relation, p.object) for p in operation.patterns],
            [Filter(f.variable, f.test, f.value) for f in operation.filters],
            words=operation.words,
            negated=operation.negated,
            hedged=operation.hedged,
            limit=limit,
        )

    def _count(self, operation: Count) -> Counted:
        if not operation.of:
            found = self._match(operation, 0)
            return Counted(found.found, found.complete)
        terms = {t for p in operation.patterns for t in (p.subject, p.relation, p.object)}
        if operation.of not in terms:
            raise GraphError(f"no pattern has the variable {operation.of}")
        found = self._match(operation, MAX_ROWS)
        return Counted(len({row[operation.of] for row in found.rows}), found.complete)

    def _neighbours(self, operation: Neighbours) -> Neighbourhood:
        relations = None
        if operation.relation:
            relations = relation_names(self.graph, operation.relation, operation.words)
        return neighbours(
            self.graph,
            one_node(self.graph, operation.node).id,
            direction=operation.direction,
            relations=relations,
            negated=operation.negated,
            hedged=operation.hedged,
            limit=operation.limit,
        )

    def _path(self, operation: Path) -> Paths:
        return shortest_paths(
            self.graph,
            one_node(self.graph, operation.start).id,
            one_node(self.graph, operation.goal).id,
            max_length=operation.max_length,
            directed=operation.directed,
            negated=operation.negated,
            hedged=operation.hedged,
            limit=operation.limit,
        )

    def _searched(self, query: str) -> Searched:
        if self._search is None:
            raise GraphError("there is nothing to search in", remedy="choose an index")
        sources = tuple(self._search(query))
        self.know(sources)
        return Searched(query, sources)

    def _answer(self, operation: Answer, author: Author) -> Answered:
        text, missing = operation.text.strip(), operation.missing
        if not text and not missing:
            raise GraphError("neither an answer nor what is missing for one")
        facts = tuple(self.graph.fact(identity) for identity in dict.fromkeys(operation.facts))
        for fact in facts:
            if fact.obsolete:
                raise GraphError(f"fact {fact.id} no longer counts: {fact.obsolete[:200]}")
        if text and not facts and author == "model":
            raise GraphError("an answer without facts", remedy="name the facts it follows from")
        passages = tuple(dict.fromkeys(p for fact in facts for p in fact.passages))
        return Answered(text, facts, passages, missing)
