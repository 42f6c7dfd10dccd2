"""Which names mean the same thing, by cheap rules; `resolution_by_meaning` has what comes after.

Rules that hold anywhere make a *variant* of a name (without its title, its plural's singular);
the variant counts where a node of that name exists. Rules that hold inside one document only
(a surname stands for the one full name there; an acronym for what it was introduced as) give a
`Merge` for that document. Nothing here decides for good: every merge says how and why it came
about and can be taken back. People, places, dates and whatever else differs in type are never
merged, nor are numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.thoughts.changes import Author
from assistant.thoughts.extraction.types import Term
from assistant.thoughts.model import node_id, normal_form

How = Literal[
    "acronym", "surname", "title", "initials", "plural", "possessive", "meaning", "model", "person"
]

_TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir dame lord lady rev reverend father st saint king queen "
    "prince princess president senator governor mayor judge justice general gen colonel col "
    "captain capt major lieutenant lt sergeant sgt admiral pope bishop mister doctor".split()
)
_PEOPLE = frozenset({"person", "people", "per"})
_GROUPS = {
    **dict.fromkeys(_PEOPLE, "person"),
    **dict.fromkeys(("gpe", "loc", "fac", "place", "location"), "place"),
    **dict.fromkeys(("date", "time"), "date"),
    **dict.fromkeys(("org", "organization", "organisation"), "org"),
}
_IN_BRACKETS = re.compile(r"\(([^()]{2,12})\)")
_SHORT = re.compile(r"[A-Z][A-Za-z0-9.&-]{0,9}[A-Z0-9s.]")
_MOST_DEFINITIONS = 50
_MOST_NAMES = 5  # words of a person's full name
_ORDER: tuple[How, ...] = ("initials", "acronym", "title", "possessive", "plural")


@dataclass(frozen=True, slots=True)
class Merge:
    """Two nodes that are one: `drop` is `keep`. How it was found, and why it may be right."""

    keep: str
    drop: str
    how: How
    why: str
    author: Author = "rule"


def variants(identity: str) -> list[tuple[str, How]]:
    """Ids of the nodes that this one would be, if they exist, the surest rule first."""
    kind, _, name = identity.partition(":")
    if kind != "entity":
        return []
    words = name.split()
    found: list[tuple[str, How]] = []
    if len(words) > 1 and all(len(w) == 1 and w.isalpha() for w in words):
        found.append(("".join(words), "initials"))
    elif len(words) > 1 and words[-1] == "s":
        found.append((" ".join(words[:-1]), "possessive"))
    if len(words) > 2 and words[0] in _TITLES:
        found.append((" ".join(words[1:]), "title"))
    last = words[-1] if words else ""
    for singular in _singulars(last):
        found.append((" ".join([*words[:-1], singular]), "plural"))
    return [(f"entity:{target}", how) for target, how in found]


def _singulars(word: str) -> list[str]:
    if len(word) < 4 or not word.isalpha() or word.endswith(("ss", "us", "is")):
        return []
    if word.endswith("ies"):
        return [word[:-3] + "y", word[:-1]]
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return [word[:-2]]
    if word.endswith("uses"):  # viruses, but causes
        return [word[:-2], word[:-1]]
    return [word[:-1]] if word.endswith("s") else []


@dataclass(frozen=True, slots=True)
class Known:
    """What the rules have to know of a node.

    Attributes:
        type: the one that most of its mentions have.
        named: it is somewhere a proper name.
        worded: it is somewhere written as a word, so that its name is not only an acronym's:
            "all" and "ALL" are one node.
    """

    type: str = ""
    named: bool = False
    worded: bool = False


def is_worded(label: str) -> bool:
    """Whether a label is written as a word is, not as an acronym."""
    return sum(c.isupper() for c in label) < 2


def across_documents(
    nodes: Mapping[str, Known], acronyms: Iterable[tuple[str, str]]
) -> list[Merge]:
    """Merges that hold in the whole index, the surest first; of a name perhaps several.

    Args:
        nodes: every node by id.
        acronyms: (short, long) as the documents introduce them; one with several meanings has
            none outside the documents that say which.
    """
    found = [
        Merge(target, identity, how, f"the same name but for its {how}")
        for identity in nodes
        for target, how in variants(identity)
        if target in nodes
    ]
    meant: dict[str, set[str]] = {}
    for short, long in acronyms:
        meant.setdefault(node_id("entity", short), set()).add(node_id("entity", long))
    found += [
        Merge(keep, drop, "acronym", "every document that introduces it says so")
        for drop, longs in meant.items()
        if len(longs) == 1 and drop in nodes and (keep := next(iter(longs))) in nodes
    ]
    return fitting(found, nodes)


def fitting(merges: Iterable[Merge], nodes: Mapping[str, Known]) -> list[Merge]:
    """Those merges that join what can be one, the surest first."""
    fit = [m for m in merges if _fits(m, nodes.get(m.keep, Known()), nodes.get(m.drop, Known()))]
    return sorted(fit, key=lambda m: (_ORDER.index(m.how), m.drop, m.keep))


def _fits(merge: Merge, keep: Known, drop: Known) -> bool:
    if merge.keep == merge.drop or not compatible(keep.type, drop.type):
        return False
    if merge.how == "plural":
        return not drop.named  # "Andes" is no plural of "Ande"
    if merge.how == "title":  # "major" is also an adjective
        return bool({keep.type, drop.type} & _PEOPLE)
    return merge.how not in ("acronym", "initials") or not drop.worded


def group(type_: str) -> str:
    """What a type is of the kinds that are never merged with each other: person, place, date…"""
    return _GROUPS.get(type_, type_)


def compatible(first: str, second: str) -> bool:
    """Whether things of these types can be one; an unknown type goes with any."""
    return not first or not second or group(first) == group(second)


def definitions(text: str) -> list[tuple[str, str]]:
    """Acronyms that a text introduces, "long form (SF)", with their long forms.

    The letters of the short form are found backwards in the words before the bracket, its first
    at the beginning of a word (Schwartz and Hearst, "A Simple Algorithm for Identifying
    Abbreviation Definitions in Biomedical Text", PSB 2003).
    """
    found: dict[str, str] = {}
    for bracket in _IN_BRACKETS.finditer(text):
        short = bracket.group(1).strip()
        if not _SHORT.fullmatch(short) or short in found:
            continue
        letters = [c.lower() for c in short if c.isalnum()]
        before = re.split(r"[.;:()!?]\s", text[max(0, bracket.start() - 200) : bracket.start()])[-1]
        words = before.split()[-min(len(letters) + 5, 2 * len(letters)) :]
        long = _long_form(letters, " ".join(words))
        # One word that has the letters is rarely what they stand for: "small (Sm)".
        if len(re.split(r"[\s-]+", long)) > 1 and normal_form(long) != normal_form(short):
            found[short] = long
        if len(found) == _MOST_DEFINITIONS:
            break
    return list(found.items())


def _long_form(letters: Sequence[str], before: str) -> str:
    place = len(before)
    for number in range(len(letters) - 1, -1, -1):
        place -= 1
        while place >= 0 and not (
            before[place].lower() == letters[number]
            and (number > 0 or place == 0 or not before[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return ""
    return before[place:].strip()


def within_document(terms: Iterable[Term], acronyms: Iterable[tuple[str, str]]) -> dict[str, Merge]:
    """Merges that hold inside one document, by the id of what is dropped.

    Args:
        terms: every term of the document.
        acronyms: what `definitions` found in its passages.
    """
    known: dict[str, list[Term]] = {}
    for term in terms:
        if term.kind == "entity":
            known.setdefault(node_id("entity", term.label), []).append(term)
    merges = _acronyms(known, acronyms)
    full: dict[str, set[str]] = {}
    people = {i for i, found in known.items() if any(t.named and t.type in _PEOPLE for t in found)}
    for identity in people:
        words = _untitled(identity)
        if 1 < len(words) <= _MOST_NAMES and all(w.isalpha() or "-" in w for w in words):
            full.setdefault(words[-1], set()).add(" ".join(words))
    for identity, found in known.items():
        words = _untitled(identity)
        if identity in merges or len(words) != 1 or not all(_may_be_person(t) for t in found):
            continue
        names = full.get(words[0], set())
        # "Curie" is nobody in particular where both Marie and Pierre Curie are spoken of.
        if len(names) == 1 and (keep := f"entity:{next(iter(names))}") in people:
            why = f"the only full name with '{words[0]}' in the document"
            merges[identity] = Merge(keep, identity, "surname", why)
    return merges


def _may_be_person(term: Term) -> bool:
    return term.named and (term.type in _PEOPLE or not term.type)


def _acronyms(
    known: dict[str, list[Term]], acronyms: Iterable[tuple[str, str]]
) -> dict[str, Merge]:
    meant: dict[str, set[str]] = {}
    for short, long in acronyms:
        meant.setdefault(node_id("entity", short), set()).add(node_id("entity", long))
    merges = {}
    for drop, longs in meant.items():
        keep = next(iter(longs))
        if len(longs) != 1 or drop not in known or keep not in known or keep == drop:
            continue
        if not any(is_worded(term.label) for term in known[drop]):
            why = f"introduced as '{keep.partition(':')[2]} ({drop.partition(':')[2]})'"
            merges[drop] = Merge(keep, drop, "acronym", why)
    return merges


def _untitled(identity: str) -> list[str]:
    words = identity.partition(":")[2].split()
    while len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    if len(words) > 1 and words[-1] == "s":
        words = words[:-1]
    return words
