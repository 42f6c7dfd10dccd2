"""What "X is N" and "X, N, …" say: one of N, the first N, capital of, is a, is."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.thoughts.extraction.phrases import VALUE_TYPES, joined, words_of
from assistant.thoughts.extraction.trees import (
    Token,
    article,
    child,
    children,
    coordinated,
    is_superlative,
)
from assistant.thoughts.extraction.values import is_number

# A kind or quantity is no role: "a type of plant" says what it is, not whose.
_KINDS = frozenset(
    """
    type kind sort form set collection archive list number group version variety range series
    class species style breed pair couple piece lot amount quantity majority mix mixture blend
    combination system method measure function algorithm generalization
    generalisation model pattern example instance
    """.split()
)


@dataclass(frozen=True, slots=True)
class Description:
    """A relation, and the nouns that it leads to; `whole` keeps their "of" phrases."""

    relation: str
    objects: tuple[Token, ...]
    kind: bool = False  # it says what kind of thing the subject is


def describe(noun: Token, *, verb: str = "") -> Description:
    """The fact that a noun states of its subject, in the order of the annotation rules.

    Args:
        verb: "become", "serve as", "remain": what stands instead of "is".
    """
    of = _preposition(noun, "of")
    if noun.lower_ in ("one", "part", "some", "two") and of is not None:
        things = tuple(children(of, "pobj"))
        if things and noun.lower_ == "one":
            return Description("is one of", things)
    if is_superlative(noun):
        return Description(verb or "is", (noun,))
    role = _role(noun, of)
    if role is not None:
        name, holders = role
        return Description(f"{verb} {name}".strip(), holders)
    if noun.ent_type_ in VALUE_TYPES and is_number(noun.text):
        return Description(verb or "is", (noun,))
    plural = noun.tag_ == "NNS" and not article(noun)
    if (
        article(noun) in ("a", "an", "another")
        or plural
        or (
            noun.tag_ == "NN"
            and not article(noun)
            and child(noun, "poss") is None
            and noun.pos_ == "NOUN"
        )
    ):
        return Description(verb or "is a", (noun,), kind=True)
    return Description(verb or "is", (noun,))


def _role(noun: Token, of: Token | None) -> tuple[str, tuple[Token, ...]] | None:
    """ "capital of", (France,)."""
    if noun.lemma_.lower() in _KINDS or (noun.pos_ == "PROPN" and of is None):
        return None
    owner = child(noun, "poss")
    if owner is not None:
        name = role_name(noun)
        return (f"{name} of", tuple(coordinated(owner))) if name else None
    if noun.pos_ == "PROPN":
        return None
    for word in ("of", "to"):
        preposition = _preposition(noun, word)
        if preposition is None or (word == "to" and noun.lemma_ not in _TO):
            continue
        holders = tuple(t for first in children(preposition, "pobj") for t in coordinated(first))
        name = role_name(noun)
        if holders and name:
            return f"{name} {word}", holders
    return None


_TO = frozenset("home heir son daughter successor alternative host sequel rival".split())


def role_name(noun: Token) -> str:
    """The noun with what stands before it, without article and owner, lower case."""
    owner = child(noun, "poss")
    skip = {t.i for t in owner.subtree} if owner is not None else set()
    words = [w for w in words_of(noun) if w.i <= noun.i and w.i not in skip]
    return joined(words).lower()


def _preposition(noun: Token, word: str) -> Token | None:
    return next((c for c in children(noun, "prep") if c.lower_ == word), None)


def attribute(noun: Token) -> tuple[str, Token] | None:
    """("output", 228 hp) of "an output of 228 hp": a noun with a plain value."""
    of = _preposition(noun, "of")
    value = child(of, "pobj") if of is not None else None
    if value is None or noun.lemma_.lower() in _KINDS or noun.pos_ != "NOUN":
        return None
    if not is_number(joined(words_of(value))):
        return None
    name = role_name(noun)
    return (name, value) if name else None
