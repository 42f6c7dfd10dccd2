"""What verbs state: who does what, what is done by whom, where and when."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.thoughts.extraction.clauses import BELIEF, Flags, flags_of
from assistant.thoughts.extraction.copulas import complement
from assistant.thoughts.extraction.descriptions import attribute
from assistant.thoughts.extraction.phrases import VALUE_TYPES, is_when
from assistant.thoughts.extraction.statements import Collector, with_examples, without_time
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
# "In fact", "for example", "in terms of", "in order to".
_IDIOMS = frozenset(
    "fact example instance comparison addition course particular general turn term way manner "
    "order case contrast response result part conclusion summary contrary rest average total "
    "least most all first end".split()
)
_PLACES = frozenset("GPE LOC FAC".split())
_AT = frozenset("in at on near around within across inside outside throughout".split())
_TIMES = frozenset("in on at during since until by around before after".split())
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
    subjects = [s for s in grammatical_subjects(verb) if s.lower_ not in ("i", "you", "we", "one")]
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
        _passive(main, subjects, flags, collector, relation)
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


def _passive(
    verb: Token, subjects: Sequence[Token], flags: Flags, collector: Collector, chain: str
) -> None:
    relation = _participle(verb)
    told = 0
    for agent in children(verb, "agent"):
        for doer in [t for p in children(agent, "pobj") for t in coordinated(p)]:
            if doer.pos_ != "VERB":
                active = " ".join(
                    [
                        verb.lemma_.lower(),
                        *(c.lower_ for c in children(verb, "prt")),
                        *(c.lower_ for c in children(verb, "oprd") if c.pos_ == "ADJ"),
                    ]
                )
                told += collector.add([doer], active, subjects, "agent", flags)
        gerund = child(agent, "pcomp")
        if gerund is not None:
            told += collector.add(subjects, f"{relation} by", [gerund], "preposition", flags)
    for name in [n for n in children(verb, "oprd") if n.pos_ != "ADJ"]:
        told += collector.add(subjects, relation, coordinated(name), "object", flags)
    for thing in children(verb, "dobj"):
        told += collector.add(subjects, relation, coordinated(thing), "object", flags)
    told += _circumstances(verb, subjects, relation, flags, collector)
    purpose = child(verb, "xcomp", "advcl")
    if purpose is not None and is_infinitive(purpose) and verb.lower_ in _FOR:
        things = [t for o in children(purpose, "dobj") for t in coordinated(o)]
        words = f"{verb.lower_} to {_base(purpose)}"
        collector.add(subjects, words, things, "clause", without_time(flags))
    del chain, told


def _active(
    verb: Token, subjects: Sequence[Token], flags: Flags, collector: Collector, chain: str
) -> None:
    relation = chain or _base(verb)
    pattern = "object" if verb.dep_ in ("ROOT", "conj", "ccomp") else "clause"
    objects = _objects(verb)
    if not objects:
        told = _circumstances(verb, subjects, relation, flags, collector)
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
        _circumstances(verb, subjects, relation, without_time(flags), collector, beside=objects)


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
            return antecedents(verb)
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
            return antecedents(verb)
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


def _circumstances(
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
        if word in _NO_FACT:
            continue
        things = _objects_of(preposition, verb)
        inner = child(preposition, "prep")
        if not things and inner is not None:  # "out of", "from behind"
            word, things = f"{word} {inner.lower_}", _objects_of(inner, verb)
        if child(preposition, "pcomp") is not None and not things and not beside:
            gerund = child(preposition, "pcomp")
            if word in ("for", "by") and is_passive(verb) and gerund.tag_ == "VBG":
                told += collector.add(
                    subjects, f"{relation} {word}", [gerund], "preposition", flags
                )
            continue
        things = [t for t in things if t.lemma_.lower() not in _IDIOMS]
        if beside:
            things = [
                t
                for t in things
                if (is_when(t) and word in _TIMES) or (t.ent_type_ in _PLACES and word in _AT)
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
        told += collector.add(
            subjects, f"{relation} {word}", things, "place" if beside else "preposition", flags
        )
    where = next((c for c in children(verb, "advmod") if c.lower_ == "where"), None)
    if where is not None and verb.dep_ == "relcl" and not beside:
        told += collector.add(subjects, f"{relation} in", antecedents(verb), "clause", flags)
    for date in children(verb, "npadvmod"):
        if (
            (date.ent_type_ == "DATE"
            and any(map(str.isdigit, date.text)))
            or (date.ent_type_ == "DATE" and any(c.pos_ == "NUM" for c in date.children))
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


def _elsewhere(prepositions: Sequence[Token], one: Token) -> bool:
    return any(
        p.i != one.i and any(not is_when(o) for o in children(p, "pobj")) for p in prepositions
    )
