"""What a person can choose for one question instead of what the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from assistant.answering.dial import parse_reliance
from assistant.answering.forms import KNOWLEDGE_FORMS, LANGUAGES, LENGTHS, AnswerLanguage, Length
from assistant.answering.forms import KnowledgeForm as Form
from assistant.errors import UnknownNameError, UsageError
from assistant.thoughts.effort import EFFORTS, EffortName

ReaderName = Literal["auto", "answerer", "small", "remote", "extractive"]
READERS: tuple[ReaderName, ...] = get_args(ReaderName)

# The setting that each option stands in for.
_SETTINGS = {
    "reader": "answering.reader",
    "effort": "thoughts.effort",
    "reliance": "answering.reliance",
    "form": "answering.knowledge_form",
    "length": "answering.length",
    "language": "answering.language",
}


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """Choices for one question; None leaves it to the settings.

    Attributes:
        reader: who writes the answer.
        effort: how hard to think.
        reliance: "off", "auto" or 0 to 1, as the setting.
        form: in which knowledge is given to a model.
        length: of a model's answer.
        language: of a model's answer, an ISO 639-1 code.
    """

    reader: ReaderName | None = None
    effort: EffortName | None = None
    reliance: str | None = None
    form: Form | None = None
    length: Length | None = None
    language: AnswerLanguage | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The choices that were made, by dotted name of the setting."""
        return {_SETTINGS[name]: value for name, value in self.chosen.items()}

    @property
    def chosen(self) -> dict[str, str]:
        """The choices that were made, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: str(value) for name, value in values.items() if value is not None}

    def but(self, other: TurnOptions) -> TurnOptions:
        """These choices, with those of `other` in their place where it has made any."""
        return replace(self, **other.chosen)  # type: ignore[arg-type]


AS_SET = TurnOptions()
"""Everything as the settings say."""


def options_of(given: Mapping[str, str | None]) -> TurnOptions:
    """Options from words that were typed; None and empty ones leave it to the settings.

    Raises:
        UnknownNameError: there is no such option, or not that value; with the nearest one.
        UsageError: the reliance is neither off, auto nor a number from 0 to 1.
    """
    values: dict[str, str] = {}
    for name, value in given.items():
        if name not in _SETTINGS:
            raise UnknownNameError("option", name, _SETTINGS)
        if value:
            values[name] = _checked(name, value)
    return TurnOptions(**values)  # type: ignore[arg-type]


def _checked(name: str, value: str) -> str:
    if name == "reliance":
        try:
            return parse_reliance(value)
        except ValueError as error:
            raise UsageError(str(error), remedy="for example 0.7") from error
    known: dict[str, tuple[str, ...]] = {
        "reader": READERS,
        "effort": tuple(EFFORTS),
        "form": KNOWLEDGE_FORMS,
        "length": LENGTHS,
        "language": ("auto", *LANGUAGES),
    }
    if name == "language":
        names = {words.casefold(): code for code, both in LANGUAGES.items() for words in both}
        value = names.get(value.casefold(), value)
    if value not in known[name]:
        raise UnknownNameError(name, value, known[name])
    return value
