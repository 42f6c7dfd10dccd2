"""Names of files that came from elsewhere, made harmless."""

from __future__ import annotations

import re
import unicodedata

from assistant.errors import UsageError
from indexes.corpora.formats import format_of

_LONGEST = 120  # characters; file systems allow 255 bytes


def safe_name(name: str) -> str:
    """A harmless file name: no folders, no control characters, not hidden, not too long.

    Raises:
        UsageError: nothing is left of it, or the format cannot be read.
    """
    base = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    base = "".join(c for c in base if unicodedata.category(c)[0] != "C")
    base = re.sub(r'[<>:"|?*]', "_", base).strip().lstrip(".~$ ").rstrip(". ")
    stem, dot, suffix = base.rpartition(".")
    if dot and len(base) > _LONGEST:
        base = f"{stem[: _LONGEST - len(suffix) - 1]}.{suffix}"[-_LONGEST:]
    if not base or format_of(base) is None:
        raise UsageError(
            f"'{name}' is not a kind of file that can be read",
            remedy="text, Markdown, HTML, PDF, Word, CSV or JSON",
        )
    return base
