"""The strings and numbers that an operation's fields may hold: bounded, printable, in one form."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from assistant.thoughts.model import MAX_LABEL, MAX_TEXT
from assistant.thoughts.quantities import parse_date

MAX_LIMIT = 1_000
_VARIABLE = r"^\?[A-Za-z_][A-Za-z0-9_]{0,30}$"


def printable(text: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r" for c in text):
        raise ValueError("control characters, or half a character")
    return text


def _single_spaced(text: str) -> str:
    return " ".join(printable(text).split())


def _no_variable(text: str) -> str:
    if text.startswith("?"):
        raise ValueError("begins with '?', which marks a variable")
    return text


def _term(text: str) -> str:
    if text.startswith("?") and not re.fullmatch(_VARIABLE, text):
        raise ValueError("a variable is '?' and a word, such as ?who")
    return text


def _date(text: str) -> str:
    if text and (text[-1].isspace() or not text[-1].isdigit() or parse_date(text) is None):
        raise ValueError("an ISO date such as 1889, 1889-03 or 1889-03-31")
    return text


_Words = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_LABEL), AfterValidator(_single_spaced)
]
# A bound on the stripped text: blanks alone are no name.
Filled = Annotated[_Words, StringConstraints(pattern=r"\S")]
Name = Annotated[Filled, AfterValidator(_no_variable)]
# May be left empty.
OptionalName = Annotated[
    str,
    StringConstraints(max_length=MAX_LABEL),
    AfterValidator(_single_spaced),
    AfterValidator(_no_variable),
]
OptionalVariable = Annotated[str, StringConstraints(pattern=rf"^({_VARIABLE[1:-1]})?$")]
OptionalText = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(printable)]
Term = Annotated[Filled, AfterValidator(_term)]
Variable = Annotated[str, StringConstraints(pattern=_VARIABLE)]
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(printable)
]
FactId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
IsoDate = Annotated[
    str,
    StringConstraints(max_length=11, pattern=r"^(-?\d{4}(-\d{2}(-\d{2})?)?)?$"),
    AfterValidator(_date),
]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]
# Left out of what a language model is offered: it cannot know it, or need not say it.
NOT_OFFERED: dict[str, JsonValue] = {"offered": False}
