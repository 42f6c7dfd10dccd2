"""The index-driven join behind `assistant.thoughts.matching.match`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

from assistant.errors import GraphError
from assistant.thoughts.filters import Filter, passes
from assistant.thoughts.model import Fact
from assistant.thoughts.patterns import Pattern, Row, Words, node_ids, relation_names
from assistant.thoughts.state import GraphState

MAX_ROWS = 10_000  # bindings kept before they are put in order
_PLACES = ("subject", "relation", "object")
# Collections of fact ids; with each, the relations that are still to be checked, if any.
_Candidates = list[tuple[Collection[str], tuple[str, ...]]]
_Solution = tuple[list[str], list[list[str]]]  # values of the variables; per pattern, fact ids


@dataclass(frozen=True)
class _Term:
    """A variable, or what it may be; neither: anything."""

    variable: str = ""
    among: tuple[str, ...] = ()

    @cached_property
    def only(self) -> str:
        """What it must be, where that is just one."""
        return self.among[0] if len(self.among) == 1 else ""


@dataclass(frozen=True)
class _Compiled:
    subject: _Term
    relation: _Term
    object: _Term

    @cached_property
    def terms(self) -> tuple[_Term, _Term, _Term]:
        return self.subject, self.relation, self.object

    @cached_property
    def only(self) -> str:
        """The one relation, where subject and object too are one or a variable: the usual case."""
        simple = all(len(end.among) <= 1 for end in (self.subject, self.object))
        return self.relation.only if simple else ""


@dataclass(frozen=True, slots=True)
class _Step:
    """One pattern's turn: what remains, and which variables a fact binds to which values."""

    rest: tuple[int, ...]
    names: tuple[str, ...]
    values: Callable[[Fact], Any]  # one value, or a tuple where there are not just one
    twice: bool  # the same variable at both ends


class Join:
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
        self._left = max_steps
        self._steps_ahead: dict[tuple[tuple[int, ...], int], _Step] = {}
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
        return _Compiled(node(pattern.subject), relation, node(pattern.object))

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
        chosen, candidates, size = self._most_selective(remaining)
        if not size:
            return
        step = self._steps_ahead.get((remaining, chosen)) or self._plan(remaining, chosen)
        bound, single = self._bound, len(step.names) == 1
        for values, ids in self._groups(candidates, step).items():
            if not self._complete:
                break
            if single:
                bound[step.names[0]] = values
            else:
                bound.update(zip(step.names, values, strict=True))
            if not self._filters or self._allowed(step.names):
                self._support[chosen] = ids
                self._extend(step.rest)
        for name in step.names:
            bound.pop(name, None)

    def _plan(self, remaining: tuple[int, ...], chosen: int) -> _Step:
        """What choosing a pattern means; the same each time that these patterns remain."""
        terms = self._patterns[chosen].terms
        new = [i for i, t in enumerate(terms) if t.variable and t.variable not in self._bound]
        names = tuple(terms[i].variable for i in new)
        step = _Step(
            rest=tuple(i for i in remaining if i != chosen),
            names=names,
            values=attrgetter(*(_PLACES[i] for i in new)) if new else lambda fact: (),
            twice=len(set(names)) < len(names),
        )
        self._steps_ahead[remaining, chosen] = step
        return step

    def _groups(self, candidates: _Candidates, step: _Step) -> dict[Any, list[str]]:
        """The candidate facts' ids by what they would bind."""
        groups: dict[Any, list[str]] = {}
        table, negated, hedged = self._graph.table, self._negated, self._hedged
        for ids, relations in candidates:
            self._left -= len(ids)
            if self._left < 0:
                self._complete = False
                break
            for identity in ids:
                fact = table[identity]
                if (
                    fact.obsolete
                    or (fact.negated and not negated)
                    or (fact.hedged and not hedged)
                    or (relations and fact.relation not in relations)
                    or (step.twice and fact.subject != fact.object)
                ):
                    continue
                values = step.values(fact)
                if values in groups:
                    groups[values].append(identity)
                else:
                    groups[values] = [identity]
        return groups

    def _allowed(self, names: Sequence[str]) -> bool:
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
        graph, only = self._graph, pattern.only
        if only:
            subject = self._bound.get(pattern.subject.variable, pattern.subject.only)
            object_ = self._bound.get(pattern.object.variable, pattern.object.only)
            if subject and object_:
                return [(graph.joining(subject, object_), (only,))]
            if subject:
                return [(graph.outgoing(subject).get(only, ()), ())]
            if object_:
                return [(graph.incoming(object_).get(only, ()), ())]
            return [(graph.with_relation(only), ())]
        relations = self._now(pattern.relation)
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

    def _most_selective(self, remaining: tuple[int, ...]) -> tuple[int, _Candidates, int]:
        """The pattern with the fewest candidates, among equals the first; and these."""
        chosen, best, least = -1, [], 0
        for number in remaining:
            found = self._candidates(self._patterns[number])
            size = len(found[0][0]) if len(found) == 1 else sum([len(ids) for ids, _ in found])
            if chosen < 0 or size < least:
                chosen, best, least = number, found, size
            if least <= 1:
                break
        return chosen, best, least
