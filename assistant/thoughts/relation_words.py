"""A relation in base form as the predicate of an English sentence, where that is sure."""

from __future__ import annotations

# Regular verbs of encyclopedic and technical text, and irregular ones, all of which form the third
# person with -s. A word that is as often a noun ("author", "source") is left out on purpose.
_VERBS = frozenset(
    """
    accept achieve acquire act add adopt affect allow announce appear appoint approve argue arrest
    attack attend become begin believe belong border bring build buy call cause change choose
    close collaborate come command compose conduct connect conquer consist construct contain
    contribute cover create cross defeat define deliver depict describe design destroy develop
    die differ direct discover divide draw earn edit educate eat employ enable encode end enter
    establish exist expand explain explore export express feature fight fill find finish flow fly
    follow form found gain generate give go govern graduate grow happen have help hire hit hold
    import improve include increase inhibit influence inherit inspire install introduce invade
    invent investigate join keep kill know last launch lead learn leave let lie live lose love
    make manage marry mean measure meet merge move name need notice observe obtain occupy occur
    offer open operate organize originate own paint perform pass pay play possess prefer prepare
    present prevent produce prohibit promote propose protect provide publish raise reach read
    receive record reduce refer reflect refuse reject release remain remove replace represent
    require resemble resign return reveal ride rule run say see sell send separate serve settle
    share show sign sing sit sleep speak spend sponsor stand start stay study succeed suggest
    support take teach tell think train translate travel treat turn undergo use visit wear win
    work write
    """.split()
)
_PARTICIPLES = frozenset(
    """
    born built made known written found founded held led sold taught drawn spoken grown given
    taken chosen shown sung worn sent lost won cut set hurt driven fed bred
    """.split()
)
_NOT_PARTICIPLES = frozenset(
    "wed shed embed need feed breed bleed speed seed succeed proceed exceed".split()
)
# Where a person or thing was, once and for all, or is still.
_PAST = frozenset("born built written founded invented discovered killed designed".split())
_PREPOSITIONS = frozenset(
    "in on at of by for from to with as into under over between near after before within".split()
)
_OFFICES = frozenset(  # one at a time: "the capital of"
    """
    capital author president king queen director mayor founder father mother headquarters
    """.split()
)
_MEMBERS = frozenset(  # one of several: "a member of"
    """
    member part subsidiary student child son daughter brother sister kind type form species
    province region suburb tributary version variant citizen
    """.split()
)
_FORMS_OF_BE = {"be": "is", "is": "is", "are": "are", "was": "was", "were": "were"}
_HELPERS = frozenset("has had does did can could may might must shall should will would".split())
_BARE = frozenset({"part"})  # "is part of", without an article


def predicate(relation: str, *, negated: bool = False) -> str:
    """What stands between subject and object, with "not" where the source denies it.

    "design" → "designs"; "born in" → "was born in"; "capital of" → "is the capital of"; of words
    that are not known: "— spouse —", "— not spouse —".
    """
    words = relation.split()
    first, rest, whole = words[0], words[1:], " ".join(words)
    tail = " ".join(["", *rest])
    no = " not" if negated else ""
    if first in _FORMS_OF_BE:
        return f"{_FORMS_OF_BE[first]}{no}{tail}"
    if first in _HELPERS and rest:
        return f"{first}{no}{tail}"
    if _is_participle(first) and rest and rest[0] in _PREPOSITIONS:
        return f"{'was' if first in _PAST else 'is'}{no} {whole}"
    if rest[:1] == ["of"] and first in _OFFICES | _MEMBERS:
        article = "" if first in _BARE else " the" if first in _OFFICES else " a"
        return f"is{no}{article} {whole}"
    if first in _VERBS:
        return f"does not {whole}" if negated else f"{_third_person(first)}{tail}"
    return f"—{no} {whole} —"


def _is_participle(word: str) -> bool:
    regular = word.endswith("ed") and word not in _NOT_PARTICIPLES and word not in _VERBS
    return regular or word in _PARTICIPLES


def _third_person(verb: str) -> str:
    if verb == "have":
        return "has"
    if verb.endswith(("s", "sh", "ch", "x", "z", "o")):
        return f"{verb}es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"
