"""Which names of a passage name one thing, by cheap rules that are seldom wrong.

The rules look at spelling alone: an acronym that stands in brackets after its words, an
abbreviation with and without dots, a title before a name, a surname where one person with it is
named in full. None joins two types, or names with different numbers in them ("Apollo 11" and
"Apollo 12"). What they propose is for the caller to merge; each merge can be undone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.thoughts.extraction.types import Term
from assistant.thoughts.model import node_id

Scope = Literal["passage", "everywhere"]

_DOTTED = re.compile(r"(?:[^\W\d_]\.){2,}(?:[^\W\d_]\.?)?")
_NUMBERS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W_]+")
_BRACKETS = re.compile(r"\(\s*([^\W\d_][\w.&-]{1,9})\s*\)")
_HONORIFIC = re.compile(
    r"(?:(?:mr|mrs|ms|miss|dr|prof|professor|sir|dame|lord|lady|saint|st|rev|reverend|capt|captain|"
    r"col|colonel|gen|general|lt|lieutenant|sgt|sergeant|president|king|queen|pope)\.?\s+)+(?=\S)",
    re.IGNORECASE,
)
_SMALL = frozenset(("of", "the", "and", "for", "in", "on", "a", "an", "de", "la", "to", "at"))


@dataclass(frozen=True, slots=True)
class SameThing:
    """Two nodes, by id, that are one thing; `why` says it in words.

    `scope`: a surname stands for that person in this passage only, an acronym everywhere.
    """

    keep: str
    drop: str
    why: str
    scope: Scope = "everywhere"


def same_things(text: str, terms: Sequence[Term]) -> list[SameThing]:
    """Which of the names in a passage name one thing, in a fixed order, each `drop` once.

    Args:
        text: of the passage; brackets are looked for in it.
        terms: what it mentions. Only proper names of entities are looked at.
    """
    named = list({t.label: t for t in terms if t.named and t.kind == "entity"}.values())
    found: dict[str, SameThing] = {}
    for rule in (_acronyms(text, named), _dots(named), _titles(named), _surnames(named)):
        for same in rule:
            taken = same.drop in found or found.get(same.keep, same).keep == same.drop
            if same.keep != same.drop and not taken:
                found[same.drop] = same
    return list(found.values())


def _acronyms(text: str, named: Sequence[Term]) -> Iterator[SameThing]:
    """ "World Health Organization (WHO)"."""
    for match in _BRACKETS.finditer(text):
        short = match[1].replace(".", "")
        if not sum(c.isupper() for c in short) >= 2:
            continue
        before = text[: match.start()].rstrip()
        inside = [t for t in named if t.label.replace(".", "") == short]
        for long in named:
            if before.endswith(long.label) and _initials(long.label, short):
                for acronym in inside:
                    if _alike(long, acronym):
                        yield _same(long, acronym, f"“{long.label} ({match[1]})” stands there")


def _dots(named: Sequence[Term]) -> Iterator[SameThing]:
    """ "U.S.A." and "USA"."""
    plain = {t.label: t for t in named}
    for term in named:
        if _DOTTED.fullmatch(term.label):
            other = plain.get(term.label.replace(".", ""))
            if other is not None and _alike(other, term):
                yield _same(other, term, "the same letters with dots")


def _titles(named: Sequence[Term]) -> Iterator[SameThing]:
    """ "Dr. Jane Smith" and "Jane Smith"."""
    plain = {t.label: t for t in named}
    for term in named:
        bare = _HONORIFIC.sub("", term.label, count=1) if _HONORIFIC.match(term.label) else ""
        other = plain.get(bare)
        # One word alone may be a place ("Lord Nelson", "Nelson"): it needs to be a person.
        person = other is not None and (" " in bare or other.type == "person")
        if other is not None and person and _alike(other, term):
            scope: Scope = "everywhere" if " " in bare else "passage"
            yield _same(other, term, "the same name with a title before it", scope)


def _surnames(named: Sequence[Term]) -> Iterator[SameThing]:
    """ "Smith" where the passage names one "Jane Smith" in full, and no other Smith."""
    people = [t for t in named if t.type == "person"]
    for term in people:
        surname = _HONORIFIC.sub("", term.label, count=1)
        if len(_WORD.findall(surname)) != 1:
            continue
        full = {
            node_id("entity", _HONORIFIC.sub("", t.label, count=1)): t
            for t in people
            if len(_WORD.findall(_HONORIFIC.sub("", t.label, count=1))) > 1
            and _WORD.findall(t.label)[-1] == surname
        }
        if len(full) == 1:
            (whole,) = full.values()
            if _alike(whole, term):
                yield _same(whole, term, f"the only {surname} that is named in full", "passage")


def _initials(long: str, short: str) -> bool:
    words = _WORD.findall(long)
    if len(words) < 2:
        return False
    all_words = "".join(word[0] for word in words)
    large = "".join(word[0] for word in words if word.casefold() not in _SMALL)
    return short.casefold() in (all_words.casefold(), large.casefold())


def _alike(first: Term, second: Term) -> bool:
    """No type and no number speaks against it."""
    types = {first.type, second.type} - {""}
    return len(types) < 2 and _numbers(first.label) == _numbers(second.label)


def _numbers(label: str) -> Iterable[str]:
    return sorted(_NUMBERS.findall(label))


def _same(keep: Term, drop: Term, why: str, scope: Scope = "everywhere") -> SameThing:
    return SameThing(node_id("entity", keep.label), node_id("entity", drop.label), why, scope)
