"""Which clauses state something, and how: denied, hedged, for which time."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.thoughts.extraction.trees import (
    SUBJECTS,
    VERBS,
    Token,
    ancestors,
    child,
    children,
    is_infinitive,
    verb_above,
)
from assistant.thoughts.extraction.values import PERIOD, bounds

_MAY = frozenset("may might could".split())
_MUST = frozenset("should would must ought shall".split())  # advice, wishes
_PERHAPS = frozenset(
    "perhaps possibly probably likely maybe reportedly allegedly apparently supposedly presumably "
    "seemingly".split()
)
_SEEM = frozenset("seem appear".split())
BELIEF = frozenset(
    "believe say consider think report rumor rumour assume suppose suspect estimate allege "
    "speculate regard".split()
)
# What they introduce is stated as well: "it shows that X".
_FACTIVE = frozenset(
    "be show know find demonstrate note reveal discover prove confirm mean".split()
)
_IF = frozenset("if unless whether lest provided".split())
_NEVER = frozenset("not never n't n’t neither nor no hardly".split())
_STATING = frozenset("ROOT conj relcl acl advcl ccomp pcomp parataxis appos dep".split())


@dataclass(frozen=True, slots=True)
class Flags:
    """How a clause says what it says; the dates are ISO."""

    negated: bool = False
    hedged: bool = False
    valid_from: str = ""
    valid_to: str = ""


def states_something(verb: Token) -> bool:
    """The clause states a fact: no question, order, wish, advice, condition, purpose or claim."""
    if verb.dep_ not in _STATING:
        return False
    if verb.dep_ == "pcomp" and verb.head.lower_ != "by":
        return False
    if verb.dep_ in ("acl", "advcl") and is_infinitive(verb):
        return False
    if verb.dep_ == "acl" and child(verb, "mark") is not None:
        return False
    if ordered(verb):
        return False
    for clause in (verb, *ancestors(verb)):
        if clause.pos_ not in VERBS:
            continue
        if _conditional(clause) or _claimed(clause):
            return False
    return True


def ordered(token: Token) -> bool:
    """It stands in an order, a piece of advice or a wish, unless in a clause beside it that has a
    subject of its own."""
    for clause in (token, *ancestors(token)):
        if clause.pos_ not in VERBS:
            continue
        if any(c.lower_ in _MUST for c in children(clause, "aux")):
            return True
        alone = child(clause, *SUBJECTS, "aux", "auxpass", "expl") is None
        if clause.dep_ == "ROOT" and clause.tag_ == "VB" and alone:
            return True
        if clause.dep_ == "conj" and child(clause, *SUBJECTS) is not None:
            return False
    return False


def _conditional(clause: Token) -> bool:
    for part in children(clause, "advcl"):
        if any(c.lower_ in _IF for c in part.children if c.dep_ in ("mark", "advmod")):
            return True
    return clause.dep_ in ("advcl", "ccomp") and any(
        c.lower_ in _IF for c in clause.children if c.dep_ == "mark"
    )


def _claimed(clause: Token) -> bool:
    if clause.dep_ != "ccomp":
        return clause.dep_ == "acl" and any(c.lower_ == "that" for c in children(clause, "mark"))
    head = clause.head
    if head.lemma_ in _FACTIVE or head.pos_ not in VERBS:
        return False
    # Two main clauses with a comma or semicolon: the parser makes the first a complement.
    return not (clause.i < head.i and head.lemma_ not in BELIEF and child(head, "nsubj"))


def flags_of(verb: Token) -> Flags:
    """The flags of the clause that this verb heads."""
    began, ended = _period(verb)
    return Flags(_negated(verb), _hedged(verb), began, ended)


def _chain(verb: Token) -> list[Token]:
    """The verb and those that it shares auxiliaries and adverbs with."""
    found = [verb]
    for _ in range(8):
        if verb.dep_ == "xcomp" or (
            verb.dep_ == "conj" and not children(verb, "aux", "auxpass", "nsubj", "nsubjpass")
        ):
            verb = verb.head
            if verb.pos_ not in VERBS:
                break
            found.append(verb)
        else:
            break
    return found


def _negated(verb: Token) -> bool:
    for one in _chain(verb):
        if one is not verb and verb.dep_ == "conj" and _but_between(one, verb):
            break
        if child(one, "neg") is not None:
            return True
        if any(
            c.lower_ in _NEVER for c in children(one, "advmod", "preconj", "cc") if c.i < verb.i
        ):
            return True
    for part in children(verb, "nsubj", "nsubjpass", "dobj", "attr"):
        if part.lower_ in ("none", "nobody", "nothing") or any(
            c.lower_ in ("no", "neither") for c in children(part, "det", "preconj", "neg")
        ):
            return True
        if child(part, "neg") is not None and part.dep_ == "attr":
            return True
    return False


def _but_between(first: Token, second: Token) -> bool:
    return any(
        t.lower_ in ("but", "and")
        for t in first.doc[first.i : second.i]
        if t.dep_ == "cc" and t.head.i in (first.i, second.i)
    )


def _hedged(verb: Token) -> bool:
    for one in _chain(verb):
        if any(c.lower_ in _MAY for c in children(one, "aux")):
            return True
        if any(c.lower_ in _PERHAPS for c in children(one, "advmod", "acomp")):
            return True
        if one is not verb and (one.lemma_ in _SEEM or (one.lemma_ in BELIEF)):
            return True
        if one is not verb and any(c.lower_ in ("about", "likely") for c in children(one, "acomp")):
            return True
    if verb.dep_ == "xcomp" and verb.head.lower_ in ("likely", "about", "rumored", "rumoured"):
        return True
    return any(token.lower_ == "according" for token in verb.sent)


def _period(verb: Token) -> tuple[str, str]:
    sentence = verb.sent
    text = sentence.text
    if not any(map(str.isdigit, text)):
        return "", ""
    for found in PERIOD.finditer(text):
        ends = bounds(found)
        if ends is None or not any(ends):
            continue
        token = _token_at(sentence, found.start())
        if token is None:
            continue
        above = token if token.pos_ in VERBS else verb_above(token)
        if above is None or above.i == verb.i or verb in _chain(above):
            return ends
        if above.dep_ == "conj" and above.head.i == verb.i:
            continue
    return "", ""


def _token_at(sentence: Token, offset: int) -> Token | None:
    place = sentence.start_char + offset
    return next((t for t in sentence if t.idx <= place < t.idx + max(1, len(t))), None)
