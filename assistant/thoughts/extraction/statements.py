"""Facts as the patterns find them, and the collector that turns nouns into terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.thoughts.extraction.clauses import Flags
from assistant.thoughts.extraction.phrases import joined, make_term, words_of
from assistant.thoughts.extraction.references import References
from assistant.thoughts.extraction.trees import (
    Token,
    article,
    child,
    children,
    coordinated,
    is_superlative,
)
from assistant.thoughts.extraction.types import Term, Triple

MAX_TRIPLES = 200  # of a passage
MAX_RELATION = 60  # characters

# How often such a fact is right, roughly, on the development passages; see docs/evaluation.md.
CONFIDENCE = {
    "object": 0.85,  # X designed Y
    "agent": 0.85,  # Y was designed by X
    "copula": 0.85,  # X is a Y, X is the capital of Y
    "preposition": 0.75,  # born in, located in
    "adjective": 0.75,  # famous for
    "apposition": 0.7,  # X, a Y, …
    "has": 0.7,  # Y with X
    "kind": 0.7,  # Y such as X
    "bracket": 0.7,  # X (born …)
    "place": 0.65,  # where and when somebody did something to something
    "clause": 0.65,  # relative and participle clauses
}
_PHRASE = re.compile(r"^(?=.*[^\W\d_])[\w'’.,&+%-]+(?: [\w'’.,&+%-]+)*$")
_REFERRED = 0.85  # factor where a pronoun or definite noun had to be resolved


class Collector:
    """Gathers the triples of one passage.

    Args:
        references: what pronouns and short names stand for.
    """

    def __init__(self, references: References) -> None:
        self.references = references
        self.triples: list[Triple] = []
        self._seen: set[tuple[str, str, str, bool, str, str]] = set()
        self.start = self.end = 0  # of the sentence that is read
        self.standing: int | None = None  # the noun that is said of the heading

    @property
    def full(self) -> bool:
        return len(self.triples) >= MAX_TRIPLES

    def terms(self, tokens: Iterable[Token]) -> list[tuple[Token, Term]]:
        """The terms of nouns and pronouns; those without referent are left out."""
        found = []
        for token in tokens:
            term = self.references.term(bearer(token))
            if term is not None:
                found.append((token, term))
        return found

    def bare(self, noun: Token, *, without: Token | None = None) -> Term | None:
        """The noun as a kind or thing of its own: with what stands before it, without places and
        examples behind it."""
        words = [w for w in words_of(noun) if w.i <= noun.i] if without is not None else None
        if words is None:
            words = [w for w in words_of(noun) if not _after(w, noun)]
        return make_term(joined(words), noun)

    def add(
        self,
        subjects: Sequence[Token] | Term,
        relation: str,
        objects: Sequence[Token] | Term,
        pattern: str,
        flags: Flags | None = None,
    ) -> int:
        """Adds a fact for each pair; gives how many were new.

        Never: without both terms, of a thing with itself, with a relation that is no phrase.
        """
        relation = " ".join(relation.lower().split()).strip(" -'\"")
        if len(relation) > MAX_RELATION or not _PHRASE.match(relation):
            return 0
        flags = flags or Flags()
        before = len(self.triples)
        for subject, sure in self._sides(subjects, carry=True):
            for object_, sure_too in self._sides(objects, carry=False):
                self._append(subject, relation, object_, pattern, flags, sure and sure_too)
        return len(self.triples) - before

    def _sides(self, side: Sequence[Token] | Term, *, carry: bool) -> list[tuple[Term, bool]]:
        if isinstance(side, Term):
            return [(side, True)]
        found = []
        for token in side:
            named = bearer(token) if carry else close_name(token) or token
            # "symptoms of X or Y": only what was found is said
            if named.i == self.standing:
                term = self.references.about
            else:
                term = self.references.term(named)
            if term is not None:
                found.append((term, named.pos_ != "PRON"))
        return found

    def _append(
        self, subject: Term, relation: str, object_: Term, pattern: str, flags: Flags, sure: bool
    ) -> None:
        key = (
            subject.normal,
            relation,
            object_.normal,
            flags.negated,
            flags.valid_from,
            flags.valid_to,
        )
        if subject.normal == object_.normal or key in self._seen or self.full:
            return
        self._seen.add(key)
        confidence = CONFIDENCE[pattern] * (1.0 if sure else _REFERRED)
        self.triples.append(
            Triple(
                subject=subject,
                relation=relation,
                object=object_,
                start=self.start,
                end=self.end,
                confidence=round(confidence, 2),
                negated=flags.negated,
                hedged=flags.hedged,
                valid_from=flags.valid_from,
                valid_to=flags.valid_to,
            )
        )


def close_name(noun: Token) -> Token | None:
    """Pilsen for "city" in "the city of Pilsen"."""
    if noun.lemma_.lower() not in PLACE_KINDS or article(noun) not in ("the", "a"):
        return None
    for of in (p for p in children(noun, "prep") if p.lower_ == "of"):
        names = [t for t in children(of, "pobj") if t.pos_ == "PROPN" and not children(t, "conj")]
        if names:
            return names[0]
    return None


PLACE_KINDS = frozenset(
    "city town village province state island county region district republic kingdom port "
    "municipality suburb".split()
)


def _after(word: Token, noun: Token) -> bool:
    """The word belongs to a phrase of place or purpose behind the noun."""
    return any(
        p.i <= word.i <= p.right_edge.i
        for p in children(noun, "prep")
        if p.lower_ in ("in", "on", "at", "for", "between", "near", "within", "around")
    )


def bearer(noun: Token) -> Token:
    """The thing that a descriptive noun is said of: X for N in "X is a N that …" and "X, a N"."""
    for _ in range(4):
        name = close_name(noun)
        if name is not None:
            return name
        if noun.dep_ == "attr" and noun.head.lemma_ == "be" and child(noun.head, "neg") is None:
            subjects = [c for c in children(noun.head, "nsubj") if c.tag_ not in ("EX", "WP")]
            if not subjects or noun.pos_ == "PROPN" or subjects[0].tag_ == "WDT":
                return noun
            return subjects[0]
        if noun.dep_ == "appos" and noun.pos_ == "NOUN" and noun.head.pos_ == "PROPN":
            noun = noun.head
        else:
            return noun
    return noun


def with_examples(nouns: Sequence[Token]) -> list[Token]:
    """The nouns, and what "including" adds to them."""
    found = list(nouns)
    for noun in nouns:
        for preposition in children(noun, "prep"):
            if preposition.lower_ == "including":
                found += [t for p in children(preposition, "pobj") for t in coordinated(p)]
    return found


def without_time(flags: Flags) -> Flags:
    """The same flags for a fact that holds at any time."""
    return replace(flags, valid_from="", valid_to="")


def is_group(noun: Token) -> bool:
    """A description rather than a name, so that it can be said of something else."""
    return (
        is_superlative(noun)
        or child(noun, "poss") is not None
        or any(c.lower_ == "of" for c in children(noun, "prep"))
    )
