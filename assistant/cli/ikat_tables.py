"""What `assistant eval ikat closed` prints."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from assistant.cli.ikat import print_wide
from assistant.cli.output import console, table

if TYPE_CHECKING:
    from eval.ikat.closed import ClosedRow


def row_json(row: ClosedRow, *, by_turn: bool) -> dict[str, Any]:
    """A row as plain data; the values of single turns on demand."""
    values = dataclasses.asdict(row)
    if not by_turn:
        del values["by_turn"]
    return values


def show_rows(name: str, turns: int, rows: list[ClosedRow], against: str) -> None:
    """The table, and the test of each row against one of them."""
    body = []
    for row in rows:
        low, high = row.interval
        low_unshown, high_unshown = row.interval_unshown
        body.append(
            (
                row.name,
                *row.measures.values(),
                f"{low:.3f}–{high:.3f}",
                *row.measures_unshown.values(),
                f"{low_unshown:.3f}–{high_unshown:.3f}",
                row.lm_calls,
                row.fallbacks,
                f"{row.seconds:.3f}",
            )
        )
    names = list(rows[0].measures)
    columns = [
        "row",
        *names,
        "95 %",
        *(f"{measure} −" for measure in names),
        "95 % −",
        "calls",
        "fallbacks",
        "s",
    ]
    print_wide(table(f"{name}: {turns} turns with a history", columns, body))
    out = console()
    out.print("−: without the passages that the conversation has shown; relevant from grade 1")
    out.print("95 %: bootstrap interval of nDCG@5; s: median seconds of understanding a turn")
    tested = [row for row in rows if row.p is not None and row.p_unshown is not None]
    if tested:
        words = ", ".join(f"{row.name} {row.p:.4f} / {row.p_unshown:.4f}" for row in tested)
        test = "paired randomisation, nDCG@5, with / without shown"
        out.print(f"p against {against} ({test}): {words}")


def show_selection(selection: dict[str, Any]) -> None:
    """How well the statements of the person were chosen."""
    columns = ["statements chosen by", "P", "R", "F1", "turns labelled", "rightly none"]
    rows = [
        (
            row["name"],
            row["precision"],
            row["recall"],
            row["f1"],
            row["labelled"],
            f"{row['rightly_none']} of {row['none_relevant']}",
        )
        for row in selection["rows"]
    ]
    print_wide(table("statements of the person, counts added up over turns", columns, rows))
