"""Passages made by hand, and a workspace without weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistant.events import FoundPassage
from assistant.settings import load_settings
from assistant.workspace import Workspace
from tests.fast.indexes.sources import HashedEncoders, MemorySource

OTTERS = "Sea otters sleep on their backs. They wrap themselves in kelp so as not to drift away."
KELP = "Kelp grows half a metre a day. It was first farmed in 1952 in Japan."


def passage(
    number: int, text: str, *, title: str = "Notes", start: int = 0, score: float = 1.0
) -> FoundPassage:
    return FoundPassage(
        number,
        f"p{number}",
        f"d{number}",
        title,
        f"/notes/{number}.md",
        text,
        start,
        start + len(text),
        None,
        (),
        score,
        (),
    )


def passages() -> tuple[FoundPassage, ...]:
    return (
        passage(1, OTTERS, title="Otters", start=100),
        passage(2, KELP, title="Kelp", score=0.6),
    )


def hashed_workspace(home: Path, texts: Mapping[str, str], **settings: Any) -> Workspace:
    """A workspace with hashed encoders and an index "notes" of `texts`; answers are quotations.

    Args:
        settings: by their dotted names with `__` for the dot.
    """
    given = {name.replace("__", "."): value for name, value in settings.items()}
    defaults = {"answering.reader": "extractive", "retrieval.index": "notes"}
    workspace = Workspace(load_settings({**defaults, **given}, home=home, environ={}))
    vars(workspace)["encoders"] = HashedEncoders()  # in place of the cached property's own
    workspace.writer("notes").build([MemorySource(dict(texts))])
    return workspace
