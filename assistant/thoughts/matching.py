"""Basic graph patterns: which bindings of variables make all patterns facts.

An index-driven join: for the bindings so far, the pattern with the fewest candidate facts comes
next, and its candidates are read from the graph's indexes by node and relation (the greedy order of
"Access Path Selection", Selinger et al. 1979, chosen anew for each binding).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

from assistant.errors import GraphError
from assistant.thoughts.filters import Filter, passes
from assistant.thoughts.relations import overlap, relation_form
from assistant.thoughts.state import GraphState

Words = Literal["exact", "overlap"]

MAX_PATTERNS = 6
MAX_STEPS = 300_000  # candidate facts looked at
MAX_ROWS = 10_000  # bindings kept before they are put in order

_PLACES = ("subject", "relation", "object")
# Collections of fact ids; with each, the relations that are still to be checked, if any.
_Candidates = list[tuple[Collection[str], tuple[str, ...]]]
_Solution = tuple[list[str], list[list[str]]]  # values of the variables; per pattern, fact ids


@dataclass(frozen=True, slots=True)
class Pattern:
    """Each of the three is a variable ("?who"), a name, or the id of a node."""

    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class Row:
    """One solution.

    Attributes:
        bindings: each variable with a node's id (or a relation's words), in the order in which the
            patterns name them.
        support: for each pattern, the ids of the facts that fulfil it: any one of them suffices.
    """

    bindings: tuple[tuple[str, str], ...]
    support: tuple[tuple[str, ...], ...]

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts' ids, each once."""
        return tuple(dict.fromkeys(identity for ids in self.support for identity in ids))

    def __getitem__(self, variable: str) -> str:
        return dict(self.bindings)[variable]


@dataclass(frozen=True, slots=True)
class Matches:
    """Solutions in the order of their bindings.

    Attributes:
        found: how many there are; `rows` may have fewer.
        complete: the whole graph was looked at; otherwise there may be more than `found`.
    """

    rows: tuple[Row, ...]
    found: int
    complete: bool


@dataclass(frozen=True, slots=True)
class _Term:
    """A variable, or what it may be; neither: anything."""

    variable: str = ""
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Compiled:
    subject: _Term
    relation: _Term
    object: _Term

    terms: tuple[_Term, _Term, _Term]
    places: tuple[int, ...]  # of the terms that are variables


def match(
    graph: GraphState,
    patterns: Sequence[Pattern],
    filters: Sequence[Filter] = (),
    *,
    words: Words = "exact",
    negated: bool = False,
    hedged: bool = False,
    limit: int = 100,
    max_steps: int = MAX_STEPS,
) -> Matches:
    """The bindings under which every pattern is a fact and every filter holds.

    Args:
        words: relations have the same words, or share their lemmas (the shorter one's all).
        negated, hedged: also facts of which the source says that they are not, or may be, so.
        limit: rows to return, the first ones in their order.

    Raises:
        GraphError: no pattern or too many, or a variable that is both a node and a relation.
    """
    if not 1 <= len(patterns) <= MAX_PATTERNS:
        raise GraphError(f"{len(patterns)} patterns", remedy=f"give 1 to {MAX_PATTERNS}")
    join = _Join(graph, patterns, filters, words, negated, hedged, max_steps)
    found, complete = join.solutions()
    first = heapq.nsmallest(limit, found, key=itemgetter(0))
    return Matches(tuple(map(join.row, first)), len(found), complete)


def node_ids(graph: GraphState, name: str) -> tuple[str, ...]:
    """The entities and values of that id, or with that label or alias."""
    if name in graph and name.startswith(("entity:", "value:")):
        return (name,)
    return tuple(n.id for n in graph.named(name) if n.kind in ("entity", "value"))


def relation_names(graph: GraphState, relation: str, words: Words) -> tuple[str, ...]:
    """The graph's relations that this one may mean."""
    form = relation_form(relation)
    if words == "exact":
        return (form,)
    alike = (r for r in graph.relations_sharing_words(form) if overlap(r, form) >= 1)
    return tuple(alike)


class _Join:
    """One query: its compiled patterns, and the bindings made while it walks."""

    def __init__(
        self,
        graph: GraphState,
        patterns: Sequence[Pattern],
        filters: Sequence[Filter],
        words: Words,
        negated: bool,
        hedged: bool,
        max_steps: int,
    ) -> None:
        self._graph = graph
        self._negated, self._hedged = negated, hedged
        self._steps = max_steps
        self._possible = self._complete = True
        self._found: list[_Solution] = []
        self._patterns = [self._compile(pattern, words) for pattern in patterns]
        self._variables = tuple(
            dict.fromkeys(t.variable for p in self._patterns for t in p.terms if t.variable)
        )
        self._filters = self._ready_filters(filters)
        self._bound: dict[str, str] = {}
        self._support: list[list[str]] = [[]] * len(patterns)

    def solutions(self) -> tuple[list[_Solution], bool]:
        """What is bound and by which facts, in no order, and whether these are all."""
        if self._possible:
            self._extend(tuple(range(len(self._patterns))))
        return self._found, self._complete

    def row(self, solution: _Solution) -> Row:
        values, support = solution
        bindings = tuple(zip(self._variables, values, strict=True))
        return Row(bindings, tuple(tuple(sorted(ids)) for ids in support))

    def _compile(self, pattern: Pattern, words: Words) -> _Compiled:
        def node(name: str) -> _Term:
            if name.startswith("?"):
                return _Term(variable=name)
            among = node_ids(self._graph, name)
            self._possible &= bool(among)
            return _Term(among=among)

        if pattern.relation.startswith("?"):
            relation = _Term(variable=pattern.relation)
        else:
            relation = _Term(among=relation_names(self._graph, pattern.relation, words))
            self._possible &= bool(relation.among)
        terms = (node(pattern.subject), relation, node(pattern.object))
        return _Compiled(*terms, terms, tuple(i for i, t in enumerate(terms) if t.variable))

    def _ready_filters(self, filters: Sequence[Filter]) -> dict[str, list[Filter]]:
        """The filters by each of their variables."""
        nodes = {t.variable for p in self._patterns for t in (p.subject, p.object)} - {""}
        both = nodes & {p.relation.variable for p in self._patterns}
        if both:
            raise GraphError(f"{min(both)} is both a node and a relation", remedy="use two names")
        by_variable: dict[str, list[Filter]] = {}
        for test in filters:
            for name in test.variables:
                if name not in self._variables:
                    raise GraphError(
                        f"the filter's variable {name[:40]!r} is in no pattern",
                        remedy=f"use one of {', '.join(self._variables) or 'none'}",
                    )
                by_variable.setdefault(name, []).append(test)
        return by_variable

    def _extend(self, remaining: tuple[int, ...]) -> None:
        """Add every solution that the bindings so far have."""
        if not remaining:
            if len(self._found) == MAX_ROWS:
                self._complete = False
                return
            bound = self._bound
            self._found.append(([bound[name] for name in self._variables], self._support.copy()))
            return
        chosen, candidates = self._most_selective(remaining)
        rest = tuple([i for i in remaining if i != chosen])
        pattern, bound = self._patterns[chosen], self._bound
        new = [place for place in pattern.places if pattern.terms[place].variable not in bound]
        names = [pattern.terms[place].variable for place in new]
        for values, ids in self._groups(candidates, new, names).items():
            if not self._complete:
                break
            for name, value in zip(names, values, strict=True):
                bound[name] = value
            if not self._filters or self._allowed(names):
                self._support[chosen] = ids
                self._extend(rest)
        for name in names:
            bound.pop(name, None)

    def _groups(
        self, candidates: _Candidates, new: list[int], names: list[str]
    ) -> dict[tuple[str, ...], list[str]]:
        """The candidate facts' ids by what they would bind."""
        groups: dict[tuple[str, ...], list[str]] = {}
        twice = len(set(names)) < len(names)  # the same variable at both ends
        table = self._graph.table
        for ids, relations in candidates:
            self._steps -= len(ids)
            if self._steps < 0:
                self._complete = False
                break
            for identity in ids:
                fact = table[identity]
                if (
                    fact.obsolete
                    or (fact.negated and not self._negated)
                    or (fact.hedged and not self._hedged)
                    or (relations and fact.relation not in relations)
                    or (twice and fact.subject != fact.object)
                ):
                    continue
                values = tuple([getattr(fact, _PLACES[place]) for place in new])
                groups.setdefault(values, []).append(identity)
        return groups

    def _allowed(self, names: list[str]) -> bool:
        """Whether the filters hold that these bindings complete."""
        for name in names:
            for test in self._filters.get(name, ()):
                known = all(variable in self._bound for variable in test.variables)
                if known and not passes(self._graph, test, self._bound):
                    return False
        return True

    def _now(self, term: _Term) -> tuple[str, ...]:
        """What a term may be under the bindings so far; empty: anything."""
        bound = self._bound.get(term.variable)
        return term.among if bound is None else (bound,)

    def _candidates(self, pattern: _Compiled) -> _Candidates:
        """Where every fact is that could fulfil the pattern under the bindings so far."""
        graph, relations = self._graph, self._now(pattern.relation)
        subjects, objects = self._now(pattern.subject), self._now(pattern.object)
        if subjects and objects:
            return [(graph.joining(s, o), relations) for s in subjects for o in objects]
        if not (subjects or objects):
            if not relations:
                return [(graph.with_relation(), ())]
            return [(graph.with_relation(name), ()) for name in relations]
        found: _Candidates = []
        for node in subjects or objects:
            index = graph.outgoing(node) if subjects else graph.incoming(node)
            few = relations if relations and len(relations) <= len(index) else index
            for name in few:
                if name in index and (few is relations or not relations or name in relations):
                    found.append((index[name], ()))
        return found

    def _most_selective(self, remaining: tuple[int, ...]) -> tuple[int, _Candidates]:
        """The pattern with the fewest candidates, among equals the first; and these."""
        chosen, best = remaining[0], self._candidates(self._patterns[remaining[0]])
        if len(remaining) > 1:
            least = sum([len(ids) for ids, _ in best])
            for number in remaining[1:]:
                if least <= 1:
                    break
                other = self._candidates(self._patterns[number])
                size = sum([len(ids) for ids, _ in other])
                if size < least:
                    chosen, best, least = number, other, size
        return chosen, best
