"""What "be" and its like state: X is a Y, the first Y, the capital of Y, famous for Y, in Y."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.thoughts.extraction.clauses import Flags, flags_of
from assistant.thoughts.extraction.descriptions import Description, attribute, describe, role_name
from assistant.thoughts.extraction.phrases import IDIOMS, VALUE_TYPES, is_when, label_of
from assistant.thoughts.extraction.statements import Collector, is_group, without_time
from assistant.thoughts.extraction.trees import (
    Token,
    article,
    child,
    children,
    coordinated,
    grammatical_subjects,
    is_nominal,
    is_relative,
)
from assistant.thoughts.extraction.values import is_number

LINKING = frozenset("be become remain".split())
_COMPANY = frozenset("with without according like unlike".split())


def read_copula(verb: Token, collector: Collector) -> None:
    """The facts of a clause with "be", "become" or "remain"."""
    if any(c.dep_ == "expl" or c.tag_ == "EX" for c in verb.children):
        _there_is(verb, collector)
        return
    subjects = [s for s in grammatical_subjects(verb) if s.lower_ not in ("i", "you", "we")]
    complement(verb, subjects, flags_of(verb), collector)


def complement(verb: Token, subjects: Sequence[Token], flags: Flags, collector: Collector) -> None:
    """What the subjects are said to be."""
    instead = "" if verb.lemma_ == "be" else verb.lemma_
    told = 0
    attributes = [n for a in children(verb, "attr") for n in coordinated(a)]
    nouns = [n for n in attributes if is_nominal(n) or article(n)]  # "a mammal" may be an adjective
    for noun in nouns:
        told += _noun(noun, subjects, flags, collector, instead, group=len(nouns) > 1)
    for adjective in [a for c in children(verb, "acomp") for a in _adjectives(c)]:
        told += _adjective(adjective, subjects, flags, collector, instead)
    for preposition in children(verb, "prep"):
        word = preposition.lower_
        if preposition.i < verb.i or word in _COMPANY:
            continue
        things = [t for p in children(preposition, "pobj") for t in coordinated(p)]
        if nouns or children(verb, "acomp") or any(t.lemma_.lower() in IDIOMS for t in things):
            continue
        if (flags.valid_from or flags.valid_to) and word in ("since", "from", "until", "between"):
            if not told:
                collector.add(subjects, f"is {word}", things, "preposition", without_time(flags))
            continue
        around = next(
            (
                a
                for a in children(verb, "advmod")
                if a.tag_ == "RB" and a.lower_ in ("around", "away", "out")
            ),
            None,
        )
        start = (
            f"{instead or 'is'} {around.lower_} " if around is not None else (f"{instead or 'is'} ")
        )
        told += collector.add(subjects, start + word, things, "preposition", flags)


def _noun(
    noun: Token,
    subjects: Sequence[Token],
    flags: Flags,
    collector: Collector,
    instead: str,
    *,
    group: bool,
) -> int:
    if is_relative(noun):
        return 0
    # "The capital of France is Paris", "another choice is X": said of the name.
    first = subjects[0] if len(subjects) == 1 else None
    if first is not None and noun.pos_ == "PROPN" and first.pos_ == "NOUN" and not group:
        det = article(first)
        owned = any(c.pos_ != "PRON" for c in children(first, "poss"))
        if (
            det == "another"
            or ((det == "the" or owned) and is_group(first))
            or is_number_word(first)
        ):
            told = describe(first)
            if told.kind or told.relation != "is" or det == "the" or owned:
                return collector.add([noun], told.relation, told.objects, "copula", flags)
    if (
        first is not None
        and noun.ent_type_ in VALUE_TYPES
        and is_number(label_of(noun))
        and (told_value := _value(first, noun, flags, collector)) is not None
    ):
        return told_value
    description = describe(noun, verb=instead)
    if (
        noun.pos_ == "NOUN"
        and description.kind
        and not group
        and len(subjects) == 1
        and (valued := attribute(noun)) is not None
    ):
        return collector.add(subjects, valued[0], [valued[1]], "has", flags)
    count = collector.add(subjects, description.relation, description.objects, "copula", flags)
    if not flags.negated and not flags.hedged:
        note_kind(subjects, noun, description, collector)
    return count


def note_kind(
    subjects: Sequence[Token], noun: Token, description: Description, collector: Collector
) -> None:
    """From now on "the tower" may mean what was called a tower."""
    if len(subjects) != 1 or noun.pos_ != "NOUN" or description.relation == "is one of":
        return
    for _, term in collector.terms(subjects):
        if term.named:
            collector.references.note_kind(term, noun)


def _value(subject: Token, value: Token, flags: Flags, collector: Collector) -> int | None:
    """ "The population of X is 5,000": X, population, 5,000."""
    name = role_name(subject)
    owner = child(subject, "poss")
    owners = (
        [owner]
        if owner is not None
        else [t for p in children(subject, "prep") if p.lower_ == "of" for t in children(p, "pobj")]
    )
    if not name or not owners or subject.pos_ != "NOUN":
        return None
    return collector.add(owners, name, [value], "copula", flags)


def is_number_word(noun: Token) -> bool:
    """ "One disadvantage": one of several, said of what follows."""
    return any(c.lower_ == "one" for c in children(noun, "nummod"))


def _adjectives(first: Token) -> list[Token]:
    found = [first]
    for one in found:
        found += [c for c in children(one, "conj") if c.pos_ in ("ADJ", "VERB") and len(found) < 8]
    return found


def _adjective(
    adjective: Token, subjects: Sequence[Token], flags: Flags, collector: Collector, instead: str
) -> int:
    told = 0
    word = adjective.lower_
    carriers = [adjective, *(c for c in _adjectives(adjective) if c is not adjective)]
    for carrier in carriers:
        for preposition in children(carrier, "prep"):
            if preposition.lower_ in ("with", "without") and carrier.pos_ == "VERB":
                continue
            things = [t for p in children(preposition, "pobj") for t in coordinated(p)]
            if is_time_only(things) or any(t.lemma_.lower() in IDIOMS for t in things):
                continue
            told += collector.add(
                subjects, f"{word} {preposition.lower_}", things, "adjective", flags
            )
        if told:
            return told
    for measure in children(adjective, "npadvmod"):
        told += collector.add(subjects, word, [measure], "adjective", flags)
    if told or children(adjective, "xcomp", "ccomp") or adjective.pos_ not in ("ADJ", "VERB"):
        return told
    if adjective.pos_ == "VERB" and not instead and adjective.tag_ != "VBN":
        return 0
    return collector.add(subjects, instead or "is", [adjective], "copula", flags)


def is_time_only(things: Sequence[Token]) -> bool:
    return bool(things) and all(is_when(t) for t in things)


def _there_is(verb: Token, collector: Collector) -> None:
    flags = flags_of(verb)
    nouns = [
        n for a in children(verb, "attr", "nsubj", "dobj") if a.tag_ != "EX" for n in coordinated(a)
    ]
    for noun in nouns:
        places = [
            p
            for p in (*children(verb, "prep"), *children(noun, "prep"))
            if p.lower_ in ("in", "on", "at", "for", "between", "near", "within", "around")
        ]
        for place in places:
            things = [t for p in children(place, "pobj") for t in coordinated(p)]
            if is_time_only(things):
                continue
            name = collector.bare(noun)
            if name is not None:
                collector.add(name, f"is {place.lower_}", things, "preposition", flags)
