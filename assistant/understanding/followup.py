"""Rules that tell whether a message leans on the conversation, and on which words of it.

"And how heavy is it?" finds nothing by itself. When a message leans on what came before (a
pronoun, an opening like "what about", hardly any content of its own), the noun phrases of the
last turns are carried over: the recent ones, the ones that came up again and again, and those of
the person's own questions before those of the answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.understanding.types import Message
from assistant.understanding.words import Phrases, content_words

MAX_CARRIED = 4
_LOOK_BACK = 3  # turns
_AGEING = 0.5  # of a phrase's salience, from one turn to the one before it
_NAME = 1.5  # salience of what is spelled like a name
_AGAIN = 0.25  # of a mention's salience, where the phrase is mentioned once more
_OWN_WORDS = 1.5  # salience of a phrase in the person's own message against one in an answer

_POINTERS = re.compile(
    r"\b(it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|one|ones|"
    r"there|former|latter|both|either|neither|same|other|others|such)\b",
    re.IGNORECASE,
)
_OPENINGS = re.compile(
    r"^\s*(and|but|or|so|what about|how about|what else|anything else|why( not)?(?=\s*\?)|"
    r"which (one|ones|of)|tell me more|more|explain|go on|for example|are you sure|yes|no)\b",
    re.IGNORECASE,
)
# "that" and "there" also open clauses ("the firm that…", "is there…"), and "each other" points at
# what the same message names: no pointer then.
_NOT_POINTERS = re.compile(
    r"\b(is|are|was|were) there\b|\bthere (is|are|was|were)\b|"
    r"\b\w+ that (is|are|was|were|has|have|can|does|do)\b|\b(one|each|any) (of|can|could|should)\b|"
    r"\bno one\b|\bon the (one|other) hand\b|\beach other\b|\bone another\b",
    re.IGNORECASE,
)


def leans_on_history(text: str) -> str | None:
    """Why a message cannot be understood without what came before it; None where it can."""
    if _OPENINGS.search(text):
        return "it opens like a follow-up"
    if points_back(text):
        return "it points at something said before"
    if len(content_words(text)) <= 1:
        return "it says little by itself"
    return None


def points_back(text: str) -> bool:
    """Whether a word of the text stands for something that it does not name."""
    return bool(_POINTERS.search(_NOT_POINTERS.sub(" ", text)))


def carried_phrases(text: str, history: Sequence[Message], phrases: Phrases) -> tuple[str, ...]:
    """The most salient phrases of the last turns that `text` does not have, best first.

    Args:
        history: earlier messages, oldest first.
        phrases: finds the phrases of a text.
    """
    salience: dict[frozenset[str], float] = {}
    spelled: dict[frozenset[str], str] = {}
    age = 0
    for message in reversed(history[-2 * _LOOK_BACK :]):
        own = message.role == "user"
        gain = _AGEING**age * (_OWN_WORDS if own else 1.0)
        named: dict[frozenset[str], str] = {}  # each once for a message, in its order
        for phrase in _named(message, phrases):
            named.setdefault(frozenset(content_words(phrase)), phrase)
        for words, phrase in named.items():
            if words:
                named_gain = gain * (_NAME if phrase != phrase.lower() else 1.0)
                before = salience.get(words, 0.0)
                more = _AGAIN * min(before, named_gain)
                salience[words] = max(before, named_gain) + more
                spelled.setdefault(words, " ".join(phrase.split()))
        age += own  # a turn begins with the person's message
    present = set(content_words(text))
    carried: list[str] = []
    for words in sorted(salience, key=lambda words: -salience[words]):  # stable: recent first
        if not words <= present:
            carried.append(spelled[words])
            present |= words
        if len(carried) == MAX_CARRIED:
            break
    return tuple(carried)


def _named(message: Message, phrases: Phrases) -> list[str]:
    if message.role == "user":
        return phrases(message.content[:500])
    # An answer says what it is about at its beginning; dates and amounts are values, not names.
    first = re.split(r"(?<=[.!?])\s", message.content, maxsplit=1)[0][:300]
    return [phrase for phrase in phrases(first) if not any(c.isdigit() for c in phrase)]
