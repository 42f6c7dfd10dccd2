"""What "it", "he", "the tower" and short names stand for, within one passage.

Simple rules, in the spirit of centering (Grosz, Joshi and Weinstein, 1995): a pronoun means the
subject of its sentence or of the sentence before if that fits, else what the title names; a
definite noun means the last thing that was called so. Where nothing fits there is no referent, and
no fact.
"""

from __future__ import annotations

import re

from assistant.thoughts.extraction.phrases import label_of, make_term, words_of
from assistant.thoughts.extraction.trees import SUBJECTS, Token, child, children
from assistant.thoughts.extraction.types import Source, Term
from assistant.thoughts.model import MAX_LABEL, normal_form

_PERSON = frozenset("he she him her his hers himself herself".split())
_THING = frozenset("it its itself".split())
_MANY = frozenset("they them their theirs themselves".split())
_DEFINITE = frozenset("the this that these those".split())
_GENERIC_HEADINGS = frozenset(
    """
    abstract acknowledgements appendix applications awards background bibliography biography career
    conclusion contents death definition description design details early education examples
    example faq features filmography further games gallery geography history introduction legacy
    life links methods notes overview parameters personal plot production reception references
    related remarks results returns see summary usage use uses works attributes
    """.split()
)
_NOTHING = frozenset(
    "other others more many most some all both former latter same such any each etc".split()
)
# "The company" under the heading of a company, which nothing in the text called one.
_HYPERNYMS = frozenset(
    """
    company firm group band album song single film movie book novel team city town village school
    university college organization organisation museum building channel series show game club
    station airline species genus magazine newspaper corporation
    """.split()
)
# "This process": may mean anything that was said.
_ABSTRACT = frozenset(
    """
    year time process period way method case result point day month approach work value question
    reason problem fact idea event change situation difference step option type kind number
    """.split()
)
_BRACKETED = re.compile(r"\s*\([^()]*\)\s*$")
_ANY_THING = frozenset("one ones other others thing things part number".split())


def about_of(source: Source) -> Term | None:
    """What the passage is about: its innermost heading that names something, else its title."""
    for heading in reversed(source.headings):
        words = heading.split()
        if words and words[0].lower().strip(":") not in _GENERIC_HEADINGS:
            return title_term(heading)
    return title_term(source.title)


def title_term(title: str) -> Term | None:
    """A title as a term: white space and leading article gone; None for what names nothing."""
    label = re.sub(r"[\x00-\x1f\x7f]", " ", title)
    label = re.sub(r"^(?:The|A|An)\s+(?=\S)", "", " ".join(label.split())).strip(" \"'#*`")
    if not label or len(label) > MAX_LABEL or not any(c.isalnum() for c in label):
        return None
    return Term(label, named=True)


class References:
    """The things of one passage as they come up. Ask in reading order."""

    def __init__(self, about: Term | None) -> None:
        self.about = about
        self._topic: Term | None = None  # subject of the clause or sentence before
        self._thing: Term | None = None
        self._person: Term | None = None
        self._kinds: dict[str, Term] = {}
        self._names: dict[str, Term] = {}
        self._shorts: dict[str, Term] = {}
        self._tails: dict[str, Term] = {}
        if about is not None:
            self._note_name(about, _BRACKETED.sub("", about.label))

    def term(self, token: Token) -> Term | None:
        """The term that a noun or pronoun stands for."""
        if token.pos_ in ("PRON", "DET") or token.tag_ in ("PRP", "PRP$"):
            return self.pronoun(token)
        words = words_of(token)
        own = make_term(label_of(token), token)
        if own is None or own.normal in _NOTHING:
            return None
        if (known := self._names.get(own.normal)) is not None:
            return known
        if (
            (short := self._shorts.get(own.normal)) is not None
            and own.named
            and (own.type in ("", "person") or short is self.about)
        ):
            return short
        determiner = child(token, "det")
        if determiner is not None and determiner.lower_ in _DEFINITE and token.pos_ != "PROPN":
            named = self._kinds.get(token.lemma_.lower())
            demonstrative = determiner.lower_ in ("this", "these")
            alone = all(w.i >= token.i for w in words)
            whose = any(c.lower_ == "of" for c in children(token, "prep"))
            if named is not None and (alone or demonstrative) and not whose:
                return named
            if (
                alone
                and not whose
                and self.about is not None
                and token.lemma_.lower() in _HYPERNYMS
                and token.tag_ == "NN"
            ):
                return self.about
            thing = self._thing
            if (
                determiner.lower_ == "this"
                and thing is not None
                and thing.named
                and (token.dep_ in SUBJECTS and token.lemma_.lower() not in _ABSTRACT)
            ):
                return thing
        if own.named and own.normal.count(" ") == 1:
            longer = self._tails.get(own.normal)
            if longer is not None:
                return longer
        if own.named and own.kind == "entity":
            self._note_name(own, own.label)
        return own

    def pronoun(self, token: Token) -> Term | None:
        """The referent of a pronoun; None where none is sure."""
        lower = token.lower_
        if lower in _PERSON:
            if self._person is not None:
                return self._person
            return (
                self.about
                if (_may_be_person(self.about) and self._topic is None)
                or (self._topic == self.about)
                else None
            )
        if lower in _THING:
            return self._thing or self.about
        if lower in _MANY:
            if self._topic is not None:
                return self._topic
            return self.about
        if token.pos_ == "PRON" and lower in ("all", "both", "most", "many", "some", "others"):
            return None
        return None

    def note_subject(self, token: Token, term: Term) -> None:
        """A clause with that subject was read: pronouns may mean it from now on."""
        if term.kind == "value" or any(c.pos_ == "PRON" for c in children(token, "poss")):
            return
        if token.lower_ in _ANY_THING:
            return
        self._topic = term
        if token.pos_ == "NOUN" and " " in term.label:
            self._kinds[token.lemma_.lower()] = term
        many = token.tag_ == "NNS" and term != self.about
        # The recogniser takes many a name for a person's: what the passage is about is a better
        # referent for "it" than a person, a person better than none.
        if not many and (term.type != "person" or self.about is None):
            self._thing = term
        if term.type == "person" or token.lower_ in _PERSON:
            self._person = term

    def note_first_subject(self, token: Token) -> None:
        """The passage's first subject means what its title names if one's words hold the other's
        ("William Ford Gibson" under the title William Gibson)."""
        if self.about is None or token.pos_ not in ("PROPN", "NOUN", "VERB"):
            return
        label = label_of(token)
        name = set(normal_form(label).split())
        title = set(normal_form(_BRACKETED.sub("", self.about.label)).split())
        short = name <= title and 2 * len(name) >= len(title)
        long = bool(title) and title <= name and len(name) <= len(title) + 3
        if (short or long) and label[:1].isupper():
            self._names.setdefault(normal_form(label), self.about)

    def note_kind(self, term: Term, noun: Token) -> None:
        """`term` was called a `noun`: "the channel" means it from now on."""
        self._kinds[noun.lemma_.lower()] = term

    def note_short(self, term: Term, short: str) -> None:
        """`short` is another name of it, as in brackets behind it."""
        self._names[normal_form(short)] = term

    def _note_name(self, term: Term, name: str) -> None:
        normal = normal_form(name)
        self._names.setdefault(normal, term)
        words = normal.split()
        if len(words) < 2 and term is not self.about:
            return
        if len(words) > 2 and not {"of", "and", "the", "in"} & set(words):
            self._tails.setdefault(" ".join(words[-2:]), term)
        if words:
            self._kinds[_singular(words[-1])] = term
        if (term.type == "person" and 2 <= len(words) <= 4) or (
            term.type in ("", "org") and len(words) == 2 and name.istitle()
        ):
            for part in (words[0], words[-1]):
                self._shorts.setdefault(part, term)
        if term is self.about and _may_be_person(term) and len(words) >= 2:
            for part in (words[0], words[-1]):
                self._shorts.setdefault(part, term)


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _may_be_person(term: Term | None) -> bool:
    """Two to four capitalised words without a digit."""
    if term is None:
        return False
    words = _BRACKETED.sub("", term.label).split()
    return (
        2 <= len(words) <= 5
        and all(w[0].isupper() or w in ("de", "van", "von", "of", "the") for w in words)
        and not re.search(r"\d", term.label)
    )
