"""Which readers can be chosen here, and what each can do. Nothing here draws."""

from __future__ import annotations

from collections.abc import Sequence

from app.components.reader import reader_in_force
from assistant.models.store import ModelStatus
from assistant.options import ReaderName
from assistant.settings import Settings

LABELS: dict[str, str] = {
    "auto": "As the settings say",
    "answerer": "Language model",
    "small": "Small model",
    "remote": "Remote endpoint",
    "extractive": "Quotations",
}
PROMPTED = ("answerer", "remote")
"""Readers that take a length, a language and a form of knowledge."""


def available_readers(settings: Settings, installed: Sequence[ModelStatus]) -> list[ReaderName]:
    """ "auto", then those whose weights or address are there."""
    names = {model.name for model in installed if model.state == "installed"}
    local = settings.models.answerer
    there: dict[ReaderName, bool] = {
        "auto": True,
        "answerer": local in names or local.endswith(".gguf"),
        "small": "minilm" in names,
        "remote": bool(settings.models.remote_url),
        "extractive": True,
    }
    return [name for name, is_there in there.items() if is_there]


def kind_of(reader: str | None, settings: Settings, installed: Sequence[ModelStatus]) -> str:
    """The reader that a choice leads to; None and "auto" leave it to the settings."""
    if reader is None or reader == "auto":
        return reader_in_force(settings, installed)[0]
    return reader
