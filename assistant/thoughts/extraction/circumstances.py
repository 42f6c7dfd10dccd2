"""Prepositional phrases of verbs: where, when, from what; and what is only a period."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.thoughts.extraction.clauses import Flags
from assistant.thoughts.extraction.descriptions import describe
from assistant.thoughts.extraction.phrases import IDIOMS, VALUE_TYPES, is_when
from assistant.thoughts.extraction.statements import Collector, with_examples, without_time
from assistant.thoughts.extraction.trees import (
    Token,
    antecedents,
    child,
    children,
    coordinated,
    is_nominal,
    is_passive,
    is_relative,
)
from assistant.thoughts.extraction.values import PERIOD

# Manner, reason, company: no facts of their own.
_NO_FACT = frozenset(
    "with without because due despite like unlike than besides except according instead per "
    "via including given regarding concerning".split()
)
PLACES = frozenset("GPE LOC FAC".split())
AT = frozenset("in at on near around within across inside outside throughout".split())
TIMES = frozenset("in on at during since until by around before after".split())


def circumstances(
    verb: Token,
    subjects: Sequence[Token],
    relation: str,
    flags: Flags,
    collector: Collector,
    *,
    beside: Sequence[Token] = (),
) -> int:
    """Prepositional phrases of a verb; beside an object, only those of time and place."""
    told = 0
    prepositions = children(verb, "prep")
    for thing in beside:  # the parser hangs dates on the object
        prepositions += [
            p for p in children(thing, "prep") if any(is_when(o) for o in children(p, "pobj"))
        ]
    for preposition in prepositions:
        word = preposition.lower_
        if word in _NO_FACT or (
            word == "by"
            and preposition.dep_ == "prep"
            and is_passive(verb)
            and not any(is_when(o) for o in children(preposition, "pobj"))
        ):
            continue
        things = _objects_of(preposition, verb)
        inner = child(preposition, "prep")
        if not things and inner is not None:  # "out of", "from behind"
            word, things = f"{word} {inner.lower_}", _objects_of(inner, verb)
        gerund = child(preposition, "pcomp")
        if gerund is not None and not things:
            if beside:
                continue
            if word in ("for", "by") and is_passive(verb) and gerund.tag_ == "VBG":
                told += collector.add(
                    subjects, f"{relation} {word}", [gerund], "preposition", flags
                )
            continue
        things = [t for t in things if t.lemma_.lower() not in IDIOMS]
        if word in ("from", "to") and _to_and_fro(prepositions, things):
            continue
        if beside:
            things = [
                t
                for t in things
                if (is_when(t) and word in TIMES) or (t.ent_type_ in PLACES and word in AT)
            ]
        if (flags.valid_from or flags.valid_to) or _is_period(preposition):
            dated = [t for t in things if is_when(t)]
            if (
                dated
                and _is_period(preposition)
                and (beside or told or _elsewhere(prepositions, preposition))
            ):
                continue  # the period is the other facts' time
            if dated and _is_period(preposition):
                told += collector.add(
                    subjects, f"{relation} {word}", dated, "preposition", without_time(flags)
                )
                continue
        if word == "as" and verb.lemma_ == "serve":
            for thing in things:
                role = describe(thing, verb="serve as")
                told += collector.add(subjects, role.relation, role.objects, "copula", flags)
            continue
        told += collector.add(
            subjects, f"{relation} {word}", things, "place" if beside else "preposition", flags
        )
    where = next((c for c in children(verb, "advmod") if c.lower_ == "where"), None)
    placed = any(t.pos_ == "PROPN" or t.ent_type_ in PLACES for t in antecedents(verb))
    if where is not None and verb.dep_ == "relcl" and not beside and (placed or not told):
        told += collector.add(subjects, f"{relation} in", antecedents(verb), "clause", flags)
    for date in children(verb, "npadvmod"):
        if (date.ent_type_ == "DATE" and any(map(str.isdigit, date.text))) or (
            date.ent_type_ == "DATE" and any(c.pos_ == "NUM" for c in date.children)
        ):
            told += collector.add(subjects, relation, [date], "place", without_time(flags))
        elif date.ent_type_ in VALUE_TYPES and not beside:
            told += collector.add(subjects, relation, [date], "place", flags)
    return told


def _objects_of(preposition: Token, verb: Token) -> list[Token]:
    found = []
    for thing in children(preposition, "pobj"):
        if is_relative(thing):
            found += antecedents(verb)
        elif is_nominal(thing):
            found += coordinated(thing)
    return with_examples(found)


def _is_period(preposition: Token) -> bool:
    text = preposition.doc[preposition.i : preposition.sent.end].text
    return preposition.lower_ in ("from", "between", "since", "until", "to", "till") and (
        PERIOD.match(text) is not None or preposition.lower_ == "to"
    )


def _to_and_fro(prepositions: Sequence[Token], things: Sequence[Token]) -> bool:
    """ "From person to person"."""
    words = {t.lower_ for t in things}
    return sum(any(o.lower_ in words for o in children(p, "pobj")) for p in prepositions) > 1


def _elsewhere(prepositions: Sequence[Token], one: Token) -> bool:
    return any(
        p.i != one.i and any(not is_when(o) for o in children(p, "pobj")) for p in prepositions
    )
