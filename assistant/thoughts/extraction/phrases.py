"""From a noun in a tree to the words that name the thing."""

from __future__ import annotations

import re

from assistant.thoughts.extraction.trees import NOUNS, Token, children
from assistant.thoughts.extraction.types import Term
from assistant.thoughts.extraction.values import UNITS, is_date, is_number
from assistant.thoughts.model import MAX_LABEL

_MAX_WORDS = 40

_MODIFIERS = frozenset(
    "compound amod nummod quantmod nmod npadvmod predet case poss prep pobj pcomp".split()
)
_DETERMINERS = frozenset(
    "all each every some any both several many most few little half either more less".split()
)
_DEGREE = frozenset(
    "very quite really extremely so too rather fairly just also somewhat now still even especially "
    "then originally currently formerly perhaps possibly probably only".split()
)
# "With" makes a fact of its own, the others add things or compare.
_OUTSIDE = frozenset(
    "with without including such like as since until during because despite due unlike "
    "according via".split()
)
# "In fact", "for example", "in terms of", "in order to": no things.
IDIOMS = frozenset(
    "fact example instance comparison addition course particular general turn term terms way "
    "manner order case contrast response result conclusion summary contrary rest average total "
    "least".split()
)
VALUE_TYPES = frozenset("DATE TIME PERCENT MONEY QUANTITY CARDINAL ORDINAL".split())
_NO_ENTITY = VALUE_TYPES | {""}
_ARTICLE = re.compile(r"^(?:the|a|an)\s+(?=\S)", re.IGNORECASE)
_STRIP = " \"'“”‘’«»,.;:()[]*`_-–—"


def words_of(head: Token) -> list[Token]:
    """The tokens that belong to the name, in order: without leading article, pronouns, relative
    and participle clauses, appositions, and what is joined to the head by "and"."""
    if head.ent_type_ == "DATE":
        dated = _entity(head)
        if is_date("".join(t.text_with_ws for t in dated).strip()):
            return dated
    found: list[Token] = []
    waiting = [head]
    while waiting and len(found) <= _MAX_WORDS:
        token = waiting.pop()
        found.append(token)
        waiting += [c for c in token.children if _belongs(c, token, head)]
    if (kind := close_kind(head)) is not None:
        found = [token for token in found if token.i > kind.i]
    places = {token.i for token in found}
    for token in found[:]:
        # Marks and "and" between two words that stay.
        right = token.i + 1
        if right < len(head.doc) and right not in places and right + 1 in places:
            between = head.doc[right]
            if between.text in ("-", "–", "/", ",", "&", "'") or between.dep_ == "cc":
                found.append(between)
    found.sort(key=lambda t: t.i)
    return found


def close_kind(head: Token) -> Token | None:
    """The noun that says what the name behind it is: "novelist" in "German novelist Thomas Mann",
    "term" in "the term hatchback"."""
    kinds = [
        c
        for c in head.children
        if c.dep_ in ("compound", "nmod", "appos")
        and c.i < head.i
        and c.pos_ == "NOUN"
        and c.text.islower()
        and (head.pos_ == "PROPN" or c.lower_ in _WORDS)
        and c.nbor(1).pos_ in ("PROPN", head.pos_)
    ]
    return kinds[-1] if kinds else None


def _entity(token: Token) -> list[Token]:
    """The tokens of the named entity that a token is in, without leading article."""
    doc, start, end = token.doc, token.i, token.i + 1
    while start > 0 and doc[start].ent_iob_ == "I":
        start -= 1
    while end < len(doc) and doc[end].ent_iob_ == "I":
        end += 1
    found = list(doc[start:end])
    while len(found) > 1 and found[0].lower_ in ("the", "a", "an"):
        del found[0]
    return found


_WORDS = frozenset("word term phrase expression".split())


def label_of(head: Token) -> str:
    """The words as one text."""
    return joined(words_of(head))


def joined(words: list[Token]) -> str:
    """Tokens as text: as they stand where they are neighbours, one space where something is
    left out."""
    pieces: list[str] = []
    for position, word in enumerate(words):
        gap = position and words[position - 1].i + 1 != word.i
        if gap and word.dep_ != "case" and word.text != "," and not pieces[-1].endswith(" "):
            pieces.append(" ")
        pieces.append(word.text_with_ws)
    text = " ".join("".join(pieces).split()).strip(_STRIP)
    text = text.replace('"', "").replace("“", "").replace("”", "")
    return _ARTICLE.sub("", text) or text


def _belongs(token: Token, parent: Token, head: Token) -> bool:
    dep, lower = token.dep_, token.lower_
    if token.is_space:
        return False
    if dep == "case":
        return parent is not head
    if dep == "det":
        inner = parent is not head and parent.dep_ in ("pobj", "dobj", "conj", "poss")
        return lower in _DETERMINERS or (inner and lower in ("the", "a", "an"))
    if dep == "poss" or (dep in ("nsubj", "pobj") and token.pos_ == "PRON"):
        return token.pos_ != "PRON" or (dep == "pobj" and lower in ("other", "each", "others"))
    if dep == "prep":
        if lower in _OUTSIDE or (token.i and token.nbor(-1).text == ","):
            return False
        if parent.pos_ == "VERB" and parent is not head and parent.dep_ != "pcomp":
            return False
        if parent.pos_ == "PROPN" and lower not in ("of", "for", "de", "and"):
            return False  # "Apple in California": where something happened
        things = children(token, "pobj")
        return not any(is_when(c) or c.lemma_.lower() in IDIOMS for c in things)
    if dep == "advmod":
        return lower not in _DEGREE and (
            parent.pos_ in ("ADJ", "NUM", "ADV")
            or parent.dep_ in ("amod", "quantmod", "nummod", "det")
            or (parent.pos_ == "VERB" and parent is head)
        )
    if dep == "appos":  # "Burgundy, France" is one name
        return token.ent_type_ == "GPE" == parent.ent_type_ and not children(token, "det")
    if dep == "relcl" or dep == "acl":
        return False
    if dep in ("cc", "conj"):
        if parent is head:
            return False
        beside = parent.dep_ in ("amod", "nummod", "quantmod", "compound", "nmod")
        return dep == "cc" or beside or token.pos_ == parent.pos_ or token.pos_ in NOUNS
    if dep in ("dobj", "prt", "attr", "acomp"):
        return parent.pos_ in ("VERB", "AUX")
    if dep == "punct":
        return token.text in ("-", "–", "/", "%", "$")
    return dep in _MODIFIERS


def is_when(token: Token) -> bool:
    """It is a date or a period that can be told ("1999", "March 1999", "the 1930s")."""
    if token.ent_type_ in ("DATE", "TIME"):
        return any(
            map(
                str.isdigit, "".join(c.text for c in (token, *token.children) if c.i <= token.i + 3)
            )
        ) or token.lower_ in ("today", "yesterday", "century")
    return is_date(token.text) and (len(token.text) == 4 or token.text.endswith("s"))


def make_term(label: str, head: Token) -> Term | None:
    """A term of that label with the kind and type of its head word."""
    if not label or len(label) > MAX_LABEL or not any(c.isalnum() for c in label):
        return None
    kind = head.ent_type_
    if kind in VALUE_TYPES or head.pos_ == "NUM" or is_date(label) or is_number(label):
        unit = head.lower_ in UNITS or head.lemma_.lower() in UNITS
        dated = kind in ("DATE", "TIME") and any(c.isdigit() for c in label)
        if is_date(label) or is_number(label) or dated or (unit and any(map(str.isdigit, label))):
            date = is_date(label) or kind in ("DATE", "TIME")
            named = kind.lower() if kind in VALUE_TYPES else "quantity"
            return Term(label, "value", "date" if date else named, named=True)
    type_ = "" if kind in _NO_ENTITY else kind.lower()
    return Term(label, "entity", type_, named=head.pos_ == "PROPN" or bool(type_))
