"""What verbs state: who does what, what is done by whom, where and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.thoughts.extraction.circumstances import AT, PLACES, TIMES, circumstances
from assistant.thoughts.extraction.clauses import BELIEF, Flags, flags_of
from assistant.thoughts.extraction.copulas import complement
from assistant.thoughts.extraction.descriptions import attribute, describe
from assistant.thoughts.extraction.phrases import is_when
from assistant.thoughts.extraction.statements import Collector, bearer, with_examples, without_time
from assistant.thoughts.extraction.trees import (
    SUBJECTS,
    VERBS,
    Token,
    antecedents,
    child,
    children,
    coordinated,
    grammatical_subjects,
    is_infinitive,
    is_passive,
    is_relative,
)

# A verb and its noun that are one relation before a preposition.
_ONE_RELATION = {
    "take": frozenset("place part name care advantage".split()),
    "get": frozenset(["name"]),
    "play": frozenset("role part".split()),
    "pay": frozenset(["attention"]),
    "make": frozenset(["use"]),
    "give": frozenset(["rise", "birth"]),
    "have": frozenset("effect impact influence access".split()),
    "draw": frozenset(["inspiration"]),
    "derive": frozenset(["name"]),
}
# "X tends to grow": the first verb says nothing of its own.
_EMPTY = frozenset("tend seem appear use happen".split()) | BELIEF
# "Used to V", "designed to V": what a thing is for is stated.
_FOR = frozenset("used designed developed introduced built made created intended needed".split())


def read_verb(verb: Token, collector: Collector) -> None:
    """The facts of the clause that `verb` heads."""
    found = [s for s in grammatical_subjects(verb) if s.lower_ not in ("i", "you", "we", "one")]
    subjects = [bearer(s) for s in found]  # also where a passive makes them objects
    flags = flags_of(verb)
    main, relation = _main_verb(verb)
    if main is not verb:
        lower = flags_of(main)
        flags = Flags(
            flags.negated or lower.negated,
            flags.hedged
            or lower.hedged
            or verb.lemma_ in ("seem", "appear")
            or (verb.lemma_ in BELIEF and is_passive(verb))
            or any(c.lower_ in ("likely", "about") for c in children(verb, "acomp")),
            flags.valid_from or lower.valid_from,
            flags.valid_to or lower.valid_to,
        )
        if main.lemma_ == "be" and main.pos_ in VERBS and not relation:
            complement(main, subjects, flags, collector)
            return
    if is_passive(main):
        _passive(main, subjects, flags, collector)
    else:
        _active(main, subjects, flags, collector, relation)


def _main_verb(verb: Token) -> tuple[Token, str]:
    """The verb that carries the meaning, and the chain of base forms before it."""
    chain = ""
    for _ in range(4):
        below = child(verb, "xcomp")
        if (
            below is None
            or below.pos_ not in VERBS
            or below.i < verb.i
            or child(verb, "dobj") is not None
            or (is_passive(verb) and verb.lemma_ not in BELIEF)
        ):
            break
        if verb.lemma_ not in _EMPTY and verb.lemma_ != "be":
            chain = f"{chain} {_base(verb)}{' to' if is_infinitive(below) else ''}".strip()
        verb = below
    if chain and not is_passive(verb):
        return verb, f"{chain} {_base(verb, gerund=not is_infinitive(verb))}".strip()
    return verb, chain


def _base(verb: Token, *, gerund: bool = False) -> str:
    """Base form with particle and object complement ("make available")."""
    word = verb.lower_ if gerund else verb.lemma_.lower()
    extra = children(verb, "prt")
    if verb.lemma_ != "be":
        extra = extra + [c for c in children(verb, "acomp") if c.pos_ in ("ADJ", "VERB")]
    return " ".join([word, *(c.lower_ for c in extra)])


def _participle(verb: Token) -> str:
    extra = children(verb, "prt") + [c for c in children(verb, "oprd") if c.pos_ == "ADJ"]
    return " ".join([verb.lower_, *(c.lower_ for c in extra)])


def _passive(verb: Token, subjects: Sequence[Token], flags: Flags, collector: Collector) -> None:
    relation = _participle(verb)
    for agent in (c for c in children(verb, "agent", "prep") if c.lower_ == "by"):
        _agent(verb, agent, subjects, flags, collector)
    for name in [n for n in children(verb, "oprd", "dobj") if n.pos_ != "ADJ"]:
        if verb.lemma_ in BELIEF:
            told = describe(name)
            believed = replace(flags, hedged=True)
            collector.add(subjects, told.relation, told.objects, "copula", believed)
        else:
            collector.add(subjects, relation, coordinated(name), "object", flags)
    circumstances(verb, subjects, relation, flags, collector)
    purpose = child(verb, "xcomp", "advcl")
    if purpose is not None and is_infinitive(purpose) and verb.lower_ in _FOR:
        things = [t for o in children(purpose, "dobj") for t in coordinated(o)]
        words = f"{verb.lower_} to {_base(purpose)}"
        collector.add(subjects, words, things, "clause", without_time(flags))


def _agent(
    verb: Token, agent: Token, subjects: Sequence[Token], flags: Flags, collector: Collector
) -> None:
    """ "Designed by Apple in California": turned active, and the place is the verb's."""
    extra = children(verb, "prt") + [c for c in children(verb, "oprd") if c.pos_ == "ADJ"]
    active = " ".join([verb.lemma_.lower(), *(c.lower_ for c in extra)])
    doers = [t for p in children(agent, "pobj") for t in coordinated(p) if not is_when(t)]
    for doer in doers:
        collector.add([doer], active, subjects, "agent", flags)
        for place in children(doer, "prep") if doer.pos_ == "PROPN" else []:
            things = [t for p in children(place, "pobj") for t in coordinated(p)]
            things = [t for t in things if t.ent_type_ in PLACES or is_when(t)]
            if place.lower_ in AT | TIMES:
                words = f"{_participle(verb)} {place.lower_}"
                collector.add(subjects, words, things, "place", flags)
    gerund = child(agent, "pcomp")
    if gerund is not None:
        words = f"{_participle(verb)} by"
        collector.add(subjects, words, [gerund], "preposition", flags)


def _active(
    verb: Token, subjects: Sequence[Token], flags: Flags, collector: Collector, chain: str
) -> None:
    relation = chain or _base(verb)
    pattern = "object" if verb.dep_ in ("ROOT", "conj", "ccomp") else "clause"
    objects = _objects(verb)
    if not objects:
        told = circumstances(verb, subjects, relation, flags, collector)
        if not told and verb.lemma_ == "have":
            return
        return
    one = next((o for o in objects if o.lemma_ in _ONE_RELATION.get(verb.lemma_, ())), None)
    if one is not None and _one_relation(verb, one, subjects, flags, collector, chain):
        return
    if verb.lemma_ == "have" and not chain:
        has(subjects, objects, flags, collector)
    else:
        name = next((n for n in children(verb, "oprd") if n.pos_ != "ADJ"), None)
        if name is not None and verb.lemma_ in ("call", "name", "dub", "title"):
            collector.add(objects, "called", coordinated(name), "object", flags)
            return
        collector.add(subjects, relation, objects, pattern, flags)
    receivers = children(verb, "dative")
    for receiver in receivers:
        nouns = children(receiver, "pobj") if receiver.pos_ == "ADP" else [receiver]
        word = receiver.lower_ if receiver.pos_ == "ADP" else "to"
        collector.add(subjects, f"{relation} {word}", nouns, "place", flags)
    if verb.lemma_ != "have":
        circumstances(verb, subjects, relation, without_time(flags), collector, beside=objects)


def has(
    subjects: Sequence[Token],
    objects: Sequence[Token],
    flags: Flags | None,
    collector: Collector,
) -> None:
    """X has Y; with a plain value, X, attribute, value."""
    for thing in objects:
        if (valued := attribute(thing)) is not None:
            collector.add(subjects, valued[0], [valued[1]], "has", flags)
        else:
            collector.add(subjects, "has", [thing], "has", flags)


def _objects(verb: Token) -> list[Token]:
    found = []
    for thing in children(verb, "dobj"):
        if is_relative(thing):
            return [bearer(a) for a in antecedents(verb)]
        if thing.lower_ not in ("itself", "himself", "herself", "themselves"):
            found += coordinated(thing)
    if not found and verb.lemma_ in ("mean", "include"):
        found = [
            t for t in children(verb, "xcomp", "ccomp") if t.i > verb.i and not child(t, *SUBJECTS)
        ]
    if not found and verb.dep_ == "relcl" and verb.tag_ != "VBG":
        own = child(verb, "nsubj")
        # "the tower Eiffel built"
        if (
            own is not None
            and not is_relative(own)
            and not children(verb, "prep", "advmod", "xcomp", "ccomp", "acomp", "attr")
        ):
            return [bearer(a) for a in antecedents(verb)]
    if not found and not children(verb, "prep", "acomp", "xcomp", "ccomp", "agent"):
        # "Makes and sells bread"
        for other in children(verb, "conj"):
            if other.pos_ == "VERB" and child(other, "nsubj", "nsubjpass") is None:
                found += [t for o in children(other, "dobj") for t in coordinated(o)]
    return with_examples(found)


def _one_relation(
    verb: Token,
    noun: Token,
    subjects: Sequence[Token],
    flags: Flags,
    collector: Collector,
    chain: str,
) -> bool:
    base = f"{chain or _base(verb)} {noun.lower_}"
    told = 0
    for preposition in [*children(verb, "prep"), *children(noun, "prep")]:
        things = [t for p in children(preposition, "pobj") for t in coordinated(p)]
        told += collector.add(
            subjects, f"{base} {preposition.lower_}", things, "preposition", flags
        )
    return told > 0
