"""What noun phrases state: appositions, "with", "such as", dates in brackets."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.thoughts.extraction.cleaning import Block
from assistant.thoughts.extraction.copulas import note_kind
from assistant.thoughts.extraction.descriptions import describe
from assistant.thoughts.extraction.phrases import close_kind, joined, label_of, make_term
from assistant.thoughts.extraction.statements import PLACE_KINDS, Collector
from assistant.thoughts.extraction.trees import Token, article, child, children, coordinated
from assistant.thoughts.extraction.types import Term
from assistant.thoughts.extraction.values import DATE
from assistant.thoughts.extraction.verbs import has

_BRACKET = re.compile(
    rf"^\(?(?P<verb>born|released|founded|established|published|died|opened|built|launched)\s+"
    rf"(?:(?P<word>in|on|around)\s+)?(?P<date>{DATE})",
    re.IGNORECASE,
)
_ACRONYM = re.compile(r"^[A-Z][A-Za-z]{1,9}$")


def read_noun(noun: Token, collector: Collector) -> None:
    """The facts that stand inside a noun phrase."""
    for other in children(noun, "appos"):
        _apposition(noun, other, collector)
    if (kind := close_kind(noun)) is not None:
        words = [
            w for w in kind.subtree if w.i <= kind.i and w.dep_ not in ("det", "punct", "poss")
        ]
        before = [c for c in noun.children if c.i < kind.i and c.dep_ in ("amod", "compound")]
        words = sorted({w.i: w for w in (*words, *before)}.values(), key=lambda w: w.i)
        term = make_term(joined(words), kind)
        if term is not None:
            collector.add([noun], "is a", term, "apposition")
    for preposition in children(noun, "prep"):
        word = preposition.lower_
        things = [t for p in children(preposition, "pobj") for t in coordinated(p)]
        if word == "with" and noun.dep_ not in ("npadvmod",):
            has([noun], things, None, collector)
        elif (word == "as" and _such(preposition, noun)) or (
            word in ("like",) and noun.tag_ == "NNS"
        ):
            kind = collector.bare(noun)
            if kind is not None:
                collector.add(things, "is a", kind, "kind")
        elif word == "of" and noun.lemma_ in PLACE_KINDS and article(noun) in ("the", "a"):
            named = [t for t in things if t.pos_ == "PROPN" and len(things) == 1]
            kind = collector.bare(noun, without=preposition)
            if kind is not None:
                collector.add(named, "is a", kind, "kind")


def _such(preposition: Token, noun: Token) -> bool:
    return any(c.lower_ == "such" for c in (*preposition.children, *noun.children))


def _apposition(noun: Token, other: Token, collector: Collector) -> None:
    if other.ent_type_ == "GPE" == noun.ent_type_ or other.pos_ not in ("NOUN", "PROPN"):
        return
    described, name = (other, noun)
    if noun.pos_ != "PROPN" and other.pos_ == "PROPN":
        described, name = noun, other
    elif (noun.pos_ == other.pos_ == "PROPN" and not article(other)) or (
        described.tag_ == "NN"
        and noun.pos_ != "PROPN"
        and not article(described)
        and child(described, "poss") is None
    ):
        return
    members = [t for t in coordinated(other) if t.dep_ != "conj" or t.pos_ == other.pos_]
    if noun.pos_ == "NOUN" and any(c.pos_ == "NUM" for c in children(noun, "nummod")):
        kind = collector.bare(noun)
        if kind is not None and len(members) > 1:
            collector.add(members, "is one of", kind, "apposition")
        return
    told = describe(described)
    if described is noun and told.relation == "is" and article(noun) != "the":
        return
    collector.add([name], told.relation, told.objects, "apposition")
    if described is other:
        note_kind([name], described, told, collector)


def read_heading_phrase(root: Token, about: Term, collector: Collector) -> None:
    """A noun phrase that stands alone under a heading is said of it."""
    for noun in coordinated(root):
        told = describe(noun)
        collector.add(about, told.relation, told.objects, "apposition")
    collector.standing = root.i


def read_brackets(block: Block, tokens: Sequence[Token], collector: Collector) -> None:
    """Dates and acronyms in the brackets that were taken out behind these nouns.

    Args:
        tokens: the sentence's nouns, in order.
    """
    for position, content in block.brackets:
        noun = next(
            (t for t in reversed(tokens) if t.idx + len(t) in (position, position - 1)), None
        )
        if noun is None:
            continue
        if found := _BRACKET.match(content.strip()):
            relation = " ".join(filter(None, (found["verb"], found["word"])))
            date = Term(found["date"].strip(), "value", "date", named=True)
            collector.add([noun], relation, date, "bracket")
        elif _ACRONYM.match(content.strip()):
            term = make_term(label_of(noun), noun)
            initials = "".join(w[0] for w in re.findall(r"[A-Za-z]\w*", term.label)) if term else ""
            if (
                term is not None
                and content.strip()[0].lower() == initials[:1].lower()
                and len(set(content.lower()) & set(initials.lower())) >= 2
            ):
                resolved = collector.references.term(noun)
                collector.references.note_short(resolved or term, content.strip())
