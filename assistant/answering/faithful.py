"""Whether a sentence that a model made of an answer may stand for the quotation."""

from __future__ import annotations

import re

from assistant.understanding.stems import stem, stems
from assistant.understanding.words import content_words

_ENDS = (".", "!", ".”", '."', ".)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def is_faithful(sentence: str, question: str, quote: str, answer: str) -> bool:
    """Whether a sentence is one, holds the answer's words, and adds nothing to question and quote.

    Compared are the stems of content words, and numbers as they stand.
    """
    if not sentence.endswith(_ENDS) or len(sentence.split()) < 3:
        return False
    said, answered = set(stems(sentence)), {stem(word) for word in content_words(answer)}
    if not answered <= said or not _numbers(answer) <= _numbers(sentence):
        return False
    known = set(stems(f"{question} {quote}"))
    return said <= known and _numbers(sentence) <= _numbers(f"{question} {quote}")


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(text))
