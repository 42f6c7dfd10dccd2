"""What a turn costs: seconds to the first word, whole seconds, resident memory.

    python -m benchmarks.turn [--index starter] [--answerer/--no-answerer]

Each question is asked in a fresh conversation on a warm process, as on the page. Prints minimum,
median and maximum, and the process's peak resident memory after each phase (Linux).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import UsageError
from assistant.events import AnswerDone, Token, TurnFailed
from assistant.pipeline import Assistant
from assistant.settings import Settings, load_settings
from assistant.warming import warm_up
from assistant.workspace import Workspace
from benchmarks.spread import spread

QUESTIONS = (
    "How is PageRank computed?",
    "What does betweenness centrality measure?",
    "What is BM25 used for?",
    "How are shortest paths found in a weighted graph?",
    "What is a minimum spanning tree?",
    "Who won the football world cup in 1954?",
)


def resident_megabytes() -> float:
    """The most resident memory this process ever had."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _ask_all(settings: Settings, index: str) -> tuple[list[float], list[float]]:
    workspace = Workspace(settings)
    warm_up(workspace).join()
    assistant = Assistant(workspace)
    firsts, totals = [], []
    for question in QUESTIONS:
        started = time.monotonic()
        first = None
        for event in assistant.ask(question, index=index):
            if isinstance(event, TurnFailed):
                raise UsageError(event.message, remedy=event.remedy)
            if first is None and isinstance(event, Token | AnswerDone):
                first = time.monotonic() - started
        firsts.append(first or 0.0)
        totals.append(time.monotonic() - started)
        workspace.conversations.delete(workspace.conversations.list()[0].id)
    return firsts, totals


def main(
    index: Annotated[str, typer.Option(help="an index that exists")] = "starter",
    answerer: Annotated[bool, typer.Option(help="also with the language model")] = True,
) -> None:
    """Measure turns, first without and then with the language model."""
    phases = ["extractive", *(["answerer"] if answerer else [])]
    report: Callable[[str], None] = print
    report(f"{len(QUESTIONS)} questions on the index '{index}'")
    for reader in phases:
        firsts, totals = _ask_all(load_settings({"answering.reader": reader}), index)
        report(f"\n{reader}")
        report(f"  first word   {spread(firsts, 's')}")
        report(f"  whole turn   {spread(totals, 's')}")
        report(f"  peak memory  {resident_megabytes():.0f} MB")


if __name__ == "__main__":
    typer.run(main)
