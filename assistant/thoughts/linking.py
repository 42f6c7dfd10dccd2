"""Names of documents as names of things."""

from __future__ import annotations

import re

from assistant.thoughts.model import normal_form

_QUALIFIER = re.compile(r"\s*\([^()]*\)\s*$")


def without_qualifier(title: str) -> str:
    """A title without what stands in brackets at its end: "Alien (film)" is "Alien"."""
    return _QUALIFIER.sub("", title).strip() or title


def names_of_title(title: str) -> tuple[str, ...]:
    """A title in its normal form, with and without what stands in brackets at its end."""
    names = (title, without_qualifier(title))
    return tuple(dict.fromkeys(normal_form(name) for name in names if name.strip()))
