"""Rules that let a follow-up question stand alone.

"And how heavy is it?" finds nothing by itself. When a message leans on what came before (a
pronoun, an opening like "what about", hardly any content of its own), the noun phrases of the
last messages are carried into the query, the most recent first. A message that stands alone is
searched for as it is: carrying words into it hurts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Phrases of a text, in order: noun phrases from a parser, or capitalised and long words.
Phrases = Callable[[str], list[str]]

_MAX_CARRIED = 4
_LOOK_BACK = 2  # turns

_POINTERS = re.compile(
    r"\b(it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|one|ones|"
    r"there|former|latter|both|either|neither|same|other|others|such)\b",
    re.IGNORECASE,
)
_OPENINGS = re.compile(
    r"^\s*(and|but|or|so|what about|how about|what else|anything else|why( not)?\s*\?|"
    r"which (one|ones|of)|tell me more|more|explain|go on|for example|are you sure)\b",
    re.IGNORECASE,
)
# "that" and "there" also open clauses ("the firm that…", "is there…"): no pointer then.
_NOT_POINTERS = re.compile(
    r"\b(is|are|was|were) there\b|\bthere (is|are|was|were)\b|"
    r"\b\w+ that (is|are|was|were|has|have|can|does|do)\b|\b(one|each|any) (of|can|could|should)\b|"
    r"\bno one\b|\bon the (one|other) hand\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_][\w'’-]*")
_EMPTY_WORDS = frozenset(
    """
    a an the and or but of in on at to for from by with as is are was were be been being do
    does did have has had can could should would will may might must shall not no yes what
    which who whom whose when where why how it its they them their he him his she her this
    that these those i me my we us our you your there here about into than then so if also
    too very please tell give show explain know think want need like more much many some any
    else example examples one ones other others both same thing things way ok okay thanks
    thank
    """.split()
)


@dataclass(frozen=True, slots=True)
class Understood:
    """The question as it is searched for and read.

    `standalone` is shown to the reader model, `query` is searched for, `carried` are the phrases
    taken over from earlier messages, `reason` says in words why they were or were not.
    """

    standalone: str
    query: str
    carried: tuple[str, ...]
    reason: str


def understand(question: str, history: Sequence[tuple[str, str]], phrases: Phrases) -> Understood:
    """Make `question` stand alone.

    Args:
        history: earlier (question, answer) pairs, oldest first.
        phrases: finds the phrases of a text.
    """
    text = " ".join(question.split())
    if not history:
        return Understood(text, text, (), "the first question stands alone")
    why = _leans_on_history(text)
    if why is None:
        return Understood(text, text, (), "the question stands alone")
    carried = _carry(text, history, phrases)
    if not carried:
        return Understood(text, text, (), f"{why}, but earlier messages name nothing to carry over")
    names = ", ".join(carried)
    return Understood(
        standalone=f"{text} (about: {names})",
        query=f"{text} {' '.join(carried)}",
        carried=carried,
        reason=f"{why}: carried over from earlier messages",
    )


def content_words(text: str) -> list[str]:
    """Words that say what a text is about, lower case, in order."""
    words = (match.group().lower() for match in _WORD.finditer(text))
    return [word for word in words if word not in _EMPTY_WORDS and len(word) > 1]


def simple_phrases(text: str) -> list[str]:
    """Phrases without a parser: runs of capitalised words inside a sentence, and long words."""
    runs = re.findall(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*)*", text)
    return [*runs, *(word for word in content_words(text) if len(word) > 3)]


def _leans_on_history(text: str) -> str | None:
    if _OPENINGS.search(text):
        return "it opens like a follow-up"
    if _POINTERS.search(_NOT_POINTERS.sub(" ", text)):
        return "it points at something said before"
    if len(content_words(text)) <= 1:
        return "it says little by itself"
    return None


def _carry(text: str, history: Sequence[tuple[str, str]], phrases: Phrases) -> tuple[str, ...]:
    present = set(content_words(text))
    carried: list[str] = []
    for question, answer in reversed(history[-_LOOK_BACK:]):
        first_sentences = re.split(r"(?<=[.!?])\s", answer, maxsplit=1)[0][:300]
        # Dates, amounts and addresses of an answer are values; what it is about has a name.
        named = [p for p in phrases(first_sentences) if not any(c.isdigit() for c in p)]
        for phrase in [*phrases(question), *named]:
            words = set(content_words(phrase))
            if not words or words <= present:
                continue
            carried.append(" ".join(phrase.split()))
            present |= words
            if len(carried) == _MAX_CARRIED:
                return tuple(carried)
    return tuple(carried)
