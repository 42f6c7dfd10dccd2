"""Small questions to a dependency tree (spaCy's English labels). Tokens are spaCy's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Token = Any

NOUNS = ("NOUN", "PROPN", "NUM", "SYM", "X")
VERBS = ("VERB", "AUX")
SUBJECTS = ("nsubj", "nsubjpass", "csubj", "csubjpass")
PASSIVE_SUBJECTS = ("nsubjpass", "csubjpass")
MAX_CLIMB = 40  # no sentence that means something is deeper


def children(token: Token, *labels: str) -> list[Token]:
    """The token's direct dependents with one of the labels, in order."""
    return [c for c in token.children if c.dep_ in labels]


def child(token: Token, *labels: str) -> Token | None:
    """The first of `children`."""
    return next((c for c in token.children if c.dep_ in labels), None)


def coordinated(token: Token) -> list[Token]:
    """The token and what is joined to it by "and", "or", commas; at most thirty."""
    found = [token]
    for one in found:  # grows while it is read
        found += [c for c in one.children if len(found) < 30 and _joins(c, one, token)]
    return sorted(found, key=lambda t: t.i)


def _joins(token: Token, one: Token, first: Token) -> bool:
    if token.dep_ == "appos":  # "A, B and C" as the parser sometimes reads it
        return (
            token.pos_ == one.pos_ == "PROPN"
            and child(token, "det") is None
            and token.ent_type_ != "GPE"
            and child(token, "conj", "appos") is not None
        )
    if token.dep_ != "conj":
        return False
    if is_nominal(token) or not is_nominal(first):
        return True
    # Nouns that are also verbs, at the end of a list: "coconut milk and pandan leaves"
    return (
        first.dep_ in ("pobj", "dobj", "attr")
        and token.tag_ in ("VBG", "VBZ", "VBP")
        and child(token, "nsubj", "nsubjpass", "aux", "auxpass", "dobj", "prep") is None
    )


def is_nominal(token: Token) -> bool:
    """It can be a thing: a noun, name, number or pronoun."""
    return token.pos_ in NOUNS or token.pos_ in ("PRON", "DET") or token.tag_ in ("NN", "NNS")


def ancestors(token: Token) -> Iterable[Token]:
    """From its head up to the root."""
    for _ in range(MAX_CLIMB):
        if token.head.i == token.i:
            return
        token = token.head
        yield token


def verb_above(token: Token) -> Token | None:
    """The nearest verb above it."""
    return next((t for t in ancestors(token) if t.pos_ in VERBS), None)


def is_passive(verb: Token) -> bool:
    """The verb is a passive or a participle that is said of something."""
    if verb.tag_ not in ("VBN", "VBD"):
        return False
    if child(verb, "auxpass") is not None or child(verb, *PASSIVE_SUBJECTS) is not None:
        return True
    if child(verb, "aux") is not None or child(verb, "nsubj", "dobj") is not None:
        return False
    if verb.dep_ in ("acl", "advcl", "relcl") and verb.tag_ == "VBN":
        return True
    if child(verb, "agent") is not None:
        return True
    return verb.dep_ == "conj" and verb.tag_ == "VBN" and is_passive(verb.head)


def is_relative(token: Token) -> bool:
    """A relative pronoun: who, which, that."""
    return token.tag_ in ("WDT", "WP", "WP$") and token.lower_ in ("who", "whom", "which", "that")


def is_infinitive(verb: Token) -> bool:
    """It has its own "to"."""
    return any(c.dep_ == "aux" and c.tag_ == "TO" for c in verb.children)


def grammatical_subjects(verb: Token) -> list[Token]:
    """What a verb is said of, also where another clause names it (control, coordination,
    participles, relative clauses)."""
    for _ in range(8):
        own = [c for c in children(verb, *SUBJECTS) if c.tag_ != "EX"]
        if own:
            if is_relative(own[0]):
                return antecedents(verb)
            return coordinated(own[0])
        head = verb.head
        if verb.dep_ == "conj" and head.pos_ in VERBS:
            verb = head
        elif verb.dep_ == "xcomp" and head.pos_ in VERBS:
            thing = child(head, "dobj")
            if thing is not None and head.lemma_ in _CONTROL:
                return coordinated(thing)
            verb = head
        elif verb.dep_ == "advcl" and child(verb, "mark") is None and not is_infinitive(verb):
            if verb.tag_ not in ("VBG", "VBN") or head.pos_ not in VERBS:
                return []
            verb = head
        elif verb.dep_ == "acl" and verb.tag_ in ("VBN", "VBG", "VBD") and not is_infinitive(verb):
            return [] if child(verb, "mark") is not None else [head]
        elif verb.dep_ == "pcomp" and head.lower_ == "by" and head.head.pos_ in VERBS:
            verb = head.head
            if is_passive(verb):
                return []
        else:
            return []
    return []


def antecedents(verb: Token) -> list[Token]:
    """The nouns that a relative clause is about; of a coordination only the nearest."""
    for _ in range(8):
        if verb.dep_ == "relcl":
            return [verb.head]
        own = child(verb, "nsubj", "nsubjpass", "dobj")
        if verb.dep_ in ("advcl", "ccomp") and own is not None and own.tag_ == "WDT":
            before = own.i - 1
            while before >= verb.sent.start and verb.doc[before].pos_ == "PUNCT":
                before -= 1
            noun = verb.doc[max(before, verb.sent.start)]
            return [noun] if noun.pos_ in NOUNS else []
        if verb.dep_ not in ("conj", "xcomp", "ccomp", "advcl"):
            return []
        verb = verb.head
    return []


_CONTROL = frozenset(
    "make let allow enable cause force help require ask tell lead permit encourage".split()
)


def is_superlative(noun: Token) -> bool:
    """Only one thing can be so: "largest", "most visited", "first", "only"."""
    for modifier in children(noun, "amod", "nummod", "compound", "nmod"):
        for word in coordinated(modifier):
            if word.tag_ == "JJS" or word.ent_type_ == "ORDINAL" or word.lower_ in _UNIQUE:
                return True
            if any(c.tag_ == "RBS" for c in children(word, "advmod")):
                return True
    return noun.tag_ in ("JJS",)


_UNIQUE = frozenset(
    "only unique sole first second third fourth fifth sixth last final next".split()
)


def article(noun: Token) -> str:
    """The noun's determiner in lower case; "" without one."""
    word = child(noun, "det")
    if word is None and noun.left_edge.dep_ == "det" and noun.left_edge.head.i > noun.left_edge.i:
        word = noun.left_edge
    return "" if word is None else word.lower_
