"""What has to be known to answer a question: its slots, read off the question's syntax.

"What is the mascot of the oldest private university in Georgia?" has two: ?1, the oldest private
university in Georgia, and ?answer, the mascot of ?1. A noun that is described instead of named (by
a clause or a phrase in which a name, or another such noun, occurs) is a variable; the rest of the
question asks about it. The deepest comes first, since the others need it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.understanding.words import content_words

ANSWER = "?answer"
MAX_VARIABLES = 3
MAX_QUESTION = 1_000  # characters; nothing longer is one question

Kind = Literal["lookup", "chain", "comparison"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a parsed text. `head` is the index of the word it depends on (its own at a root),
    `entity` the type of the named entity that it is part of, lower case, or ""."""

    text: str
    lemma: str
    pos: str
    dep: str
    head: int
    start: int
    end: int
    entity: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that has to be known.

    Attributes:
        variable: "?1", "?2"…, or `ANSWER`.
        text: what is asked, other variables standing for themselves: "the mascot of ?1".
        type: what kind of thing it is: a noun ("university"), or for the answer what the question
            word asks for ("person", "date", "place", "number"); may be empty.
        about: names and variables that it is connected with.
    """

    variable: str
    text: str
    type: str
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its slots, those first that others need; the last one is the answer."""

    text: str
    kind: Kind
    names: tuple[str, ...]
    slots: tuple[Slot, ...]


_WH_TYPES = {
    "who": "person",
    "whom": "person",
    "whose": "person",
    "when": "date",
    "where": "place",
    "how many": "number",
    "how much": "number",
    "how long": "number",
    "how old": "number",
    "how tall": "number",
    "how far": "number",
}
# Nouns that stand for something only together with what follows them.
_EMPTY = frozenset("name kind type sort part one some number member use example way thing".split())
_DESCRIBES = frozenset(("relcl", "acl", "prep", "poss", "appos", "nmod"))
_NOT_HEADS = frozenset(("compound", "npadvmod", "nmod", "amod", "nummod"))
_YES_NO = re.compile(r"^\W*(is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b", re.I)
_VARIABLE = re.compile(r"\?\d+")
_OR_AND = re.compile(r"\b(or|and|both)\b", re.IGNORECASE)


def understood_question(text: str, tokens: Sequence[Token]) -> Question:
    """The slots of a question.

    Args:
        tokens: of the whole text, in order; empty where no parser is installed: then the question
            is a single slot.
    """
    text = " ".join(text[:MAX_QUESTION].split()) if not tokens else text
    names = list(_names(tokens))
    spans = tuple(dict.fromkeys(text[a:b] for a, b in names))
    whole = Slot(ANSWER, text.strip(), answer_type(text, tokens), spans)
    if not tokens:
        return Question(text, "lookup", spans, (whole,))
    if len(spans) >= 2 and _compares(text, tokens):
        return Question(text, "comparison", spans, (*_each(text, spans, whole), whole))
    described = _described(tokens, names)
    if not described:
        return Question(text, "lookup", spans, (whole,))
    return Question(text, "chain", spans, tuple(_chain(text, tokens, names, described)))


def answer_type(text: str, tokens: Sequence[Token]) -> str:
    """What the question word asks for: "person", "date", "place", "number", or the noun after
    "which" and "what"."""
    lowered = text.casefold()
    for words, kind in _WH_TYPES.items():
        if re.search(rf"\b{words}\b", lowered):
            return kind
    for i, token in enumerate(tokens):
        if token.lemma in ("which", "what") and token.dep == "det":
            return tokens[token.head].lemma.casefold()
        if token.lemma == "what" and token.dep == "attr":
            subject = next((t for t in tokens if t.dep == "nsubj" and t.head == token.head), None)
            return subject.lemma.casefold() if subject and subject.pos == "NOUN" else ""
        if token.lemma in ("which", "what") and i + 1 < len(tokens):
            following = tokens[i + 1]
            return following.lemma.casefold() if following.pos == "NOUN" else ""
    return ""


def _names(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Character spans of proper names and values: runs of proper nouns, numbers and words of one
    named entity."""
    run: list[Token] = []
    for i, token in enumerate(tokens):
        inner = (
            token.text in ("of", "the", "'s", "’s", "-", "&", ".")
            and run
            and (i + 1 < len(tokens) and _is_name(tokens[i + 1]) and token.entity)
        )
        if _is_name(token) or inner:
            run.append(token)
        elif run:
            yield run[0].start, run[-1].end
            run = []
    if run:
        yield run[0].start, run[-1].end


def _is_name(token: Token) -> bool:
    if token.lemma in ("which", "what", "who", "where", "when", "how"):
        return False
    if token.pos == "PROPN":
        return True
    return bool(token.entity) and (token.text[:1].isupper() or token.text[:1].isdigit())


def _subtree(tokens: Sequence[Token], root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for i, token in enumerate(tokens):
        if token.head != i:
            children.setdefault(token.head, []).append(i)
    found, stack = {root}, [root]
    while stack:
        for child in children.get(stack.pop(), ()):
            if child not in found:
                found.add(child)
                stack.append(child)
    return sorted(found)


def _described(tokens: Sequence[Token], names: Sequence[tuple[int, int]]) -> list[int]:
    """Nouns that are described rather than named, the deepest first."""
    found = []
    for i, token in enumerate(tokens):
        if token.pos != "NOUN" or token.dep in _NOT_HEADS or token.lemma in _EMPTY:
            continue
        if _asked_for(tokens, i) or _within(token, names):
            continue
        below = _subtree(tokens, i)
        by_clause = any(
            tokens[c].head == i and tokens[c].dep in _DESCRIBES for c in below if c != i
        )
        named_below = any(_within(tokens[c], names) for c in below if c != i)
        asks_below = any(tokens[c].lemma in ("which", "what", "who") for c in below)
        # "…in a film directed by which director": described by what is said before it.
        if by_clause and (named_below or (asks_below and names)):
            found.append((_depth(tokens, i), i))
    return [i for _, i in sorted(found, key=lambda pair: (-pair[0], pair[1]))]


def _asked_for(tokens: Sequence[Token], i: int) -> bool:
    """Whether the question word asks for this very noun: "which company", "what is the mascot"."""
    token = tokens[i]
    for child in tokens:
        if tokens[child.head] is token and child.lemma in ("which", "what", "whose"):
            return True
    if token.dep not in ("nsubj", "attr", "nsubjpass"):
        return False
    verb = tokens[token.head]
    asks = any(
        t.lemma in ("what", "who", "which") and t.dep in ("attr", "nsubj", "dep")
        for t in tokens
        if tokens[t.head] is verb and t is not token
    )
    return verb.lemma in ("be", "'s", "s") and asks


def _within(token: Token, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= token.start and token.end <= end for start, end in spans)


def _depth(tokens: Sequence[Token], i: int) -> int:
    depth = 0
    while tokens[i].head != i and depth < len(tokens):
        i, depth = tokens[i].head, depth + 1
    return depth


def _compares(text: str, tokens: Sequence[Token]) -> bool:
    if not _OR_AND.search(text):
        return False
    which = any(t.lemma == "which" for t in tokens)
    comparative = any(t.lemma in ("more", "further", "less", "both", "same") for t in tokens) or (
        any(t.text.casefold().endswith("er") and t.pos in ("ADJ", "ADV") for t in tokens)
    )
    return bool(_YES_NO.match(text)) or (which and (comparative or " or " in text))


def _each(text: str, names: Sequence[str], whole: Slot) -> Iterator[Slot]:
    """A comparison asks the same of each name."""
    rest = " ".join(w for w in content_words(text) if all(w not in n.casefold() for n in names))
    for number, name in enumerate(names[:MAX_VARIABLES], start=1):
        yield Slot(f"?{number}", f"{name}: {rest}".strip(" :"), whole.type, (name,))


def _chain(
    text: str, tokens: Sequence[Token], names: Sequence[tuple[int, int]], described: Sequence[int]
) -> Iterator[Slot]:
    """Each described noun as a slot, then what is asked of them."""
    stands_for: dict[int, str] = {}  # token → variable whose phrase it is in
    number = 0
    for root in described:
        below = _subtree(tokens, root)
        # What describes it stands before it, where what is asked of it stands in its own phrase.
        asked = any(_asks(tokens, i) for i in below)
        covered = [i for i in range(len(tokens)) if i not in below or i <= root] if asked else below
        phrase = _words(tokens, covered, stands_for)
        if _VARIABLE.fullmatch(phrase) or number == MAX_VARIABLES:
            continue  # it says nothing beyond what is a slot already
        number += 1
        variable = f"?{number}"
        yield Slot(
            variable, phrase, tokens[root].lemma.casefold(), _about(text, phrase, names, variable)
        )
        stands_for.update(dict.fromkeys(covered, variable))
    rest = _words(tokens, range(len(tokens)), stands_for)
    yield Slot(ANSWER, rest, answer_type(text, tokens), _about(text, rest, names, ANSWER))


def _asks(tokens: Sequence[Token], i: int) -> bool:
    """A question word, not a relative pronoun: "by which company", not "from which she came"."""
    token = tokens[i]
    if token.lemma not in ("which", "what", "who"):
        return False
    if token.dep == "det":
        return True
    head = tokens[token.head]
    return token.lemma == "what" or (token.dep in ("pobj", "attr") and head.dep == "ROOT")


def _words(tokens: Sequence[Token], chosen: Sequence[int], stands_for: dict[int, str]) -> str:
    pieces: list[str] = []
    for i in chosen:
        word = stands_for.get(i, tokens[i].text)
        if word.startswith("?") and len(word) > 1:
            if word not in pieces:
                pieces.append(word)
        elif word.strip() and (word not in '?!.,;:"' or word == "'"):
            joined = word.startswith(("'", "’", "-")) or (pieces and pieces[-1].endswith("-"))
            if joined and pieces:
                pieces[-1] += word
            else:
                pieces.append(word)
    return " ".join(pieces)


def _about(text: str, phrase: str, names: Sequence[tuple[int, int]], own: str) -> tuple[str, ...]:
    named = [text[a:b] for a, b in names if text[a:b] in phrase]
    variables = [w for w in re.findall(r"\?\d+", phrase) if w != own]
    return tuple(dict.fromkeys((*named, *variables)))
