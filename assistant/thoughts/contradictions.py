"""Facts that cannot all be so. None is dropped: they are put in order and shown together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from assistant.thoughts.model import Fact, Node
from assistant.thoughts.quantities import compare_values, parse_date, parse_quantity
from assistant.thoughts.relations import lemmas, relation_form
from assistant.thoughts.state import GraphState

Kind = Literal["negated", "values", "dates"]
_Bound = tuple[int, int, int]

# One thing has one object of each type: compared by lemmas, so "be born on" is among them.
ONE_OBJECT = (
    "born in",
    "die in",
    "birthplace",
    "place of birth",
    "date of birth",
    "place of death",
    "date of death",
    "have capital",
    "bury in",
    "open in",
    "complete in",
    "release in",
    "publish in",
    "establish in",
    "found in",
    "height",
    "length",
    "father",
    "mother",
)
# One thing is the object for one subject only; compared word for word, but for "be".
ONE_SUBJECT = ("capital of", "father of", "mother of", "first president of")
# A place inside another does not contradict it: born in Paris, born in France.
INSIDE = (
    "located in",
    "lie in",
    "in",
    "part of",
    "situated in",
    "city in",
    "town in",
    "capital of",
)

_PARTS = 4  # steps from a place to what it lies in
_LARGEST = 200  # facts of one group that are compared with one another
_ALWAYS: tuple[_Bound, _Bound] = ((-10_000, 1, 1), (10_000, 12, 31))


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Facts that contradict one another, the one to believe first at the front.

    Attributes:
        kind: the same is said and denied; a thing has several values where it can have one; a
            fact's validity ends before it begins.
        facts: their ids, by later begin of validity, then more pieces of evidence, higher
            confidence, and id.
        why: in words.
    """

    kind: Kind
    facts: tuple[str, ...]
    why: str


def find_contradictions(
    graph: GraphState,
    *,
    one_object: Iterable[str] = ONE_OBJECT,
    one_subject: Iterable[str] = ONE_SUBJECT,
    about: Collection[str] | None = None,
) -> list[Contradiction]:
    """The contradictions among the facts that count, by kind and then by their facts.

    What only may be so (hedged) contradicts nothing, and neither do facts whose validity does not
    overlap, a date and its year, or a place and what it lies in.

    Args:
        one_object, one_subject: the functional relations; replace the stated lists.
        about: only facts with one of these nodes, by id, as an end.
    """
    facts = [fact for fact in _facts(graph, about) if not fact.hedged]
    found = [*_denied(graph, facts), *_backwards(graph, facts)]
    single = {lemmas(relation) for relation in one_object}
    unique = {relation_form(relation) for relation in one_subject}
    by_subject: dict[tuple[str, object], list[Fact]] = {}
    by_object: dict[tuple[str, object], list[Fact]] = {}
    for fact in facts:
        if not fact.negated:
            words = lemmas(fact.relation)
            if words in single:
                by_subject.setdefault((fact.subject, words), []).append(fact)
            form = relation_form(fact.relation).removeprefix("be ")
            if form in unique:
                by_object.setdefault((fact.object, form), []).append(fact)
    for group in by_subject.values():
        found += _several(graph, group, "object")
    for group in by_object.values():
        found += _several(graph, group, "subject")
    return sorted(found, key=lambda one: (one.kind, one.facts))


def believed_first(facts: Iterable[Fact]) -> list[Fact]:
    """By later begin of validity, more evidence, higher confidence, id."""
    by_id = sorted(facts, key=lambda fact: fact.id)
    return sorted(by_id, key=lambda f: (_span(f)[0], len(f.evidence), f.confidence), reverse=True)


def overlapping(one: Fact, other: Fact) -> bool:
    """Whether there is a day on which both hold; what is not said is not bounded."""
    first, second = _span(one), _span(other)
    return first[0] <= second[1] and second[0] <= first[1]


def _facts(graph: GraphState, about: Collection[str] | None) -> Iterator[Fact]:
    if about is None:
        return graph.facts()
    found = {fact.id: fact for node in sorted(about) for fact in graph.facts_of(node)}
    return iter(found.values())


def _denied(graph: GraphState, facts: list[Fact]) -> Iterator[Contradiction]:
    said: dict[tuple[str, str, str], list[Fact]] = {}
    for fact in facts:
        said.setdefault((fact.subject, fact.relation, fact.object), []).append(fact)
    for group in said.values():
        if len({fact.negated for fact in group}) == 2:
            involved = _involved(group, lambda a, b: a.negated != b.negated)
            if involved:
                why = f"{_words(graph, involved[0])}: said and denied"
                yield Contradiction("negated", _ids(involved), why)


def _backwards(graph: GraphState, facts: list[Fact]) -> Iterator[Contradiction]:
    for fact in facts:
        start, end = parse_date(fact.valid_from), parse_date(fact.valid_to)
        if start and end and end.last < start.first:
            why = f"{_words(graph, fact)}: from {fact.valid_from} to {fact.valid_to}"
            yield Contradiction("dates", (fact.id,), why)


def _several(
    graph: GraphState, group: list[Fact], end: Literal["subject", "object"]
) -> Iterator[Contradiction]:
    """The facts of a group whose ends differ though there can be only one."""

    def node(fact: Fact) -> Node:
        return graph.node(fact.object if end == "object" else fact.subject)

    if len({node(fact).id for fact in group}) < 2:
        return
    involved = _involved(group, lambda a, b: _differ(graph, node(a), node(b)))
    if involved:
        names = ", ".join(dict.fromkeys(node(fact).label for fact in involved))
        why = f"{_words(graph, involved[0])}: several values where there is one: {names}"
        yield Contradiction("values", _ids(involved), why[:400])


def _involved(group: list[Fact], conflict: Callable[[Fact, Fact], bool]) -> list[Fact]:
    """The facts that contradict another one at the same time, the one to believe first."""
    found: dict[str, Fact] = {}
    for one, other in combinations(believed_first(group)[:_LARGEST], 2):
        if overlapping(one, other) and conflict(one, other):
            found[one.id], found[other.id] = one, other
    return believed_first(found.values())


def _differ(graph: GraphState, one: Node, other: Node) -> bool:
    """Whether two nodes of the same type cannot be the same value."""
    if one.id == other.id:
        return False
    if parse_date(one.label) and parse_date(other.label):
        return compare_values(one.label, other.label, dates=True) in ("earlier", "later")
    if parse_quantity(one.label) and parse_quantity(other.label):
        return compare_values(one.label, other.label) in ("less", "greater")
    if (one.kind, one.type.casefold()) != (other.kind, other.type.casefold()):
        return False
    return not (_inside(graph, one.id, other.id) or _inside(graph, other.id, one.id))


def _inside(graph: GraphState, part: str, whole: str) -> bool:
    reached, level = {part}, [part]
    for _ in range(_PARTS):
        level = [
            fact.object
            for node in level
            for relation in INSIDE
            for fact in map(graph.fact, graph.outgoing(node).get(relation, ()))
            if not (fact.obsolete or fact.negated) and fact.object not in reached
        ][:_LARGEST]
        reached.update(level)
        if whole in reached:
            return True
    return False


def _span(fact: Fact) -> tuple[_Bound, _Bound]:
    """First and last day; always, where the end comes before the begin."""
    start, end = parse_date(fact.valid_from), parse_date(fact.valid_to)
    first = start.first if start else _ALWAYS[0]
    last = end.last if end else _ALWAYS[1]
    return (first, last) if first <= last else _ALWAYS


def _words(graph: GraphState, fact: Fact) -> str:
    subject, object_ = graph.node(fact.subject), graph.node(fact.object)
    return f"{subject.label} {fact.relation} {object_.label}"


def _ids(facts: list[Fact]) -> tuple[str, ...]:
    return tuple(fact.id for fact in facts)
