"""What readers are called in evaluations of distillation, beside their names in the settings."""

from __future__ import annotations

from typing import overload

_SETTINGS = {"teacher": "answerer", "student": "small"}


@overload
def reader_setting(name: str) -> str: ...
@overload
def reader_setting(name: None) -> None: ...
def reader_setting(name: str | None) -> str | None:
    """The value of `answering.reader` that a name stands for: "teacher" is the answerer and
    "student" the small reader; any other name stands for itself."""
    return name if name is None else _SETTINGS.get(name, name)
