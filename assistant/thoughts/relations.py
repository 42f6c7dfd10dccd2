"""When two relations' words mean the same: by the words they share, in base form."""

from __future__ import annotations

from functools import lru_cache

from assistant.thoughts.model import normal_form

# Words that a relation often has and another phrase for the same relation often lacks.
_LIGHT = frozenset(
    """
    be is are was were been being have has had having do does did to of in on at by for from with
    as into onto over under the a an and or his her its their also first
    """.split()
)
# Irregular forms of common relations; regular endings are cut off below.
_BASE = {
    form: base
    for base, forms in {
        "bear": "born borne",
        "build": "built",
        "begin": "began begun",
        "become": "became",
        "buy": "bought",
        "choose": "chose chosen",
        "die": "died dying death",
        "draw": "drew drawn",
        "found": "founded founder founding",
        "give": "gave given",
        "know": "knew known",
        "lead": "led leader",
        "lose": "lost",
        "make": "made",
        "sell": "sold",
        "sing": "sang sung",
        "speak": "spoke spoken",
        "study": "studied studies studying",
        "take": "took taken",
        "teach": "taught",
        "win": "won winning winner",
        "write": "wrote written writing",
    }.items()
    for form in forms.split()
}


def relation_form(relation: str) -> str:
    """A relation as facts keep it: lower case, single spaces."""
    return " ".join(relation.casefold().split())


@lru_cache(maxsize=65_536)
def lemmas(relation: str) -> frozenset[str]:
    """The words that carry a relation, without their endings ("was designed by" → {"design"}).

    Facts have relations in base form already; questions and models do not keep to that.
    """
    words = normal_form(relation).split()
    carrying = [word for word in words if word not in _LIGHT] or words
    return frozenset(map(_base, carrying))


def overlap(left: str, right: str) -> float:
    """The share of the shorter relation's lemmas that the other has too, in [0, 1]."""
    first, second = lemmas(left), lemmas(right)
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _base(word: str) -> str:
    word = _BASE.get(word, word)
    for ending in ("ing", "ed", "es", "er", "or", "s", "e"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3:
            double = len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsz"
            return stem[:-1] if double else stem
    return word
