"""Names of documents as names of things."""

from __future__ import annotations

import re

from assistant.thoughts.model import normal_form

_QUALIFIER = re.compile(r"\s*\([^()]*\)\s*$")


def names_of_title(title: str) -> tuple[str, ...]:
    """A title in its normal form, and without what stands in brackets at its end: "Alien (film)"
    is also "alien"."""
    bare = _QUALIFIER.sub("", title)
    return tuple(dict.fromkeys(normal_form(name) for name in (title, bare) if name.strip()))
