"""What a health check says: findings, and the commands that mend them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["This computer", "Models", "Indexes", "What is kept"]


@dataclass(frozen=True, slots=True)
class Mend:
    """What would mend a finding.

    Attributes:
        label: what it does, as a button says it.
        title: what the work is called while it goes on.
        arguments: of `assistant`.
    """

    label: str
    title: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result. A note is worth knowing, an error stops something from working.

    `mend` is None where nothing has to be mended or only the person can do it (`remedy`).
    """

    check: str
    severity: Literal["ok", "note", "error"]
    message: str
    remedy: str = ""
    group: Group = "This computer"
    mend: Mend | None = None
