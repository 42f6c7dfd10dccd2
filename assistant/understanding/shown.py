"""Passages that the conversation has already shown.

A passage was shown when everything it says stands in earlier answers. One of which a sentence was
quoted has more to say, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_WORDS = re.compile(r"\w+")


def shown_ids(passages: Mapping[str, str], said: Iterable[str]) -> list[str]:
    """The ids of the passages (id → text) whose words, in order, are all in one earlier answer."""
    answers = [f" {_plain(answer)} " for answer in said]
    found = []
    for identity, text in passages.items():
        words = _plain(text)
        if words and any(f" {words} " in answer for answer in answers):
            found.append(identity)
    return found


def _plain(text: str) -> str:
    without_marks = re.sub(r"\[\d+\]", " ", text)
    return " ".join(_WORDS.findall(without_marks.casefold()))
