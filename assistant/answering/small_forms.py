"""The texts that the small language model is asked with; it was trained on exactly these.

A model of 135 M parameters asked for an answer in one go ignores the passages, so the skill is
split. Pointing: the sentences of the passages carry marks, "[2.3]" being the third sentence of the
second passage; the model writes the mark of the sentence that answers, or "[0]" where none does,
and then the words of the answer. Wording: where the answer has been found already, the model makes
a sentence of it. A change here needs a new training (`assistant/distillation/recipes/`).

Nothing but text is known here, so that training needs no other part of the assistant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.answering.turn_marks import as_data

MOST = 9
"""Passages, and sentences of one passage: a mark has one digit of each."""

ABSENT = "[0]"
"""What is written where no sentence answers."""

POINTING_SYSTEM = "Point to the sentence that answers the question, then answer; [0] if none does."
WORDING_SYSTEM = "Say the answer to the question in one sentence."

_MARK = re.compile(r"\[(?=\d(?:\.\d)?\])")


def pointing_prompt(question: str, passages: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Numbered passages, each a title and its sentences, between two copies of the question.

    The first copy lets a model that reads from left to right know what it looks for.
    """
    asked = f"Question: {_plain(question)}"
    lines = [asked, ""]
    for number, (title, sentences) in enumerate(passages, start=1):
        lines.append(f"Passage {number}: {_plain(title)}")
        lines += [f"[{number}.{place}] {_plain(s)}" for place, s in enumerate(sentences, start=1)]
    return "\n".join([*lines, "", asked])


def pointing_reply(place: tuple[int, int] | None, answer: str = "") -> str:
    """What the model is to write: the sentence's mark and the answer, or that there is none."""
    return ABSENT if place is None else f"[{place[0]}.{place[1]}] {' '.join(answer.split())}"


def wording_prompt(question: str, title: str, quote: str, answer: str) -> str:
    """A question, the sentence that answers it, and the answer's words in it."""
    return (
        f"Question: {_plain(question)}\nQuote from {_plain(title)}: {_plain(quote)}\n"
        f"Answer: {_plain(answer)}"
    )


def chatml(system: str, user: str) -> str:
    """One turn in ChatML, up to where the model goes on: what the runtime makes of two messages."""
    return (
        f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


END = "<|im_end|>"
"""What ends the model's turn."""


def _plain(text: str) -> str:
    # A document cannot begin a line of its own, nor carry a mark of another sentence.
    return as_data(_MARK.sub("[ ", " ".join(text.split())))
