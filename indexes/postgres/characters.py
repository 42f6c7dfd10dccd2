"""Texts as PostgreSQL can hold them: it knows no NUL and no lone surrogates."""

from __future__ import annotations

import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> bool:
    """Whether the server can hold the text as it is."""
    return _UNSTORABLE.search(text) is None


def cleaned(text: str) -> str:
    """The text with � for each character that the server cannot hold; every offset stays."""
    return _UNSTORABLE.sub("\ufffd", text)


def cleaned_json(value: Any) -> Any:
    """A JSON value with all of its strings, keys included, cleaned."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {cleaned(str(key)): cleaned_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned_json(item) for item in value]
    return value
