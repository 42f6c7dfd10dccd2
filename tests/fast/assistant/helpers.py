"""Passages made by hand."""

from __future__ import annotations

from assistant.events import FoundPassage

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
