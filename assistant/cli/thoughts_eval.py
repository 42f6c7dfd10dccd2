"""`assistant eval thoughts`: the same questions with and without the graph of thoughts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.context import EvaluatedReaderOption, JsonFlag, LimitOption, workspace
from assistant.cli.output import console, progress_bars, table, write_json
from assistant.errors import UnknownNameError
from indexes.files import storage_errors

if TYPE_CHECKING:
    from eval.thoughts import Row

_EFFORTS = ("quick", "normal", "deep")
_SUPPORTING = tuple(
    f"{name}@{depth}"
    for depth in (5, 10)
    for name in ("before", "after", "all_before", "all_after")
)
_HALVES = ("all", "development", "held-out")


def thoughts(
    context: typer.Context,
    collection: Annotated[
        Path, typer.Argument(help="Folder in BEIR's layout; its queries have answers.")
    ],
    effort: Annotated[str, typer.Option(help="quick, normal or deep.")] = "quick",
    half: Annotated[
        str,
        typer.Option(help="all, development (where settings were chosen) or held-out questions."),
    ] = "all",
    answers: Annotated[
        bool, typer.Option(help="Also answer, with and without; else only supporting passages.")
    ] = True,
    facts: Annotated[bool, typer.Option(help="Tell the reader the facts found.")] = True,
    reader: EvaluatedReaderOption = None,
    limit: LimitOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sample.")] = 0,
    rows_file: Annotated[
        Path | None, typer.Option("--rows", help="Write each question's results here, as JSON.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Supporting passages and answers with and without the graph of thoughts.

    Example:

      assistant eval thoughts data/hotpotqa --effort normal --rows rows.jsonl
    """
    from assistant.reading import choose_reader
    from eval.collections import load_collection
    from eval.reader_names import reader_setting
    from eval.thoughts import evaluate_thoughts, report

    for kind, name, known in (("effort", effort, _EFFORTS), ("half", half, _HALVES)):
        if name not in known:
            raise UnknownNameError(kind, name, known)
    opened = workspace(context, answering__reader=reader_setting(reader))
    loaded = load_collection(collection)
    with progress_bars(quiet=as_json) as on_progress:
        rows = evaluate_thoughts(
            opened,
            loaded,
            effort=effort,  # type: ignore[arg-type]  # one of the names, checked above
            reader=choose_reader(opened, short=True) if answers else None,
            half=half,  # type: ignore[arg-type]
            limit=limit,
            seed=seed,
            facts=facts,
            on_progress=on_progress,
        )
    if rows_file is not None:
        with storage_errors(rows_file):
            rows_file.write_text("".join(f"{_line(row)}\n" for row in rows), encoding="utf-8")
    found = report(rows)
    if as_json:
        write_json(found)
        return
    _show(f"{loaded.name}, {half} questions, effort {effort}", found)


def _show(title: str, found: dict[str, Any]) -> None:
    parts = [("all", found), *found["by_type"].items()]
    supporting = [
        (name, own["questions"], *(own["supporting"][key] for key in _SUPPORTING))
        for name, own in parts
    ]
    out = console()
    out.print(table(f"{title}: supporting passages", ["", "questions", *_SUPPORTING], supporting))
    if "with" in found:
        lines = [
            (f"{name}, {side}", *own[side].values())
            for name, own in parts
            for side in ("without", "with")
        ]
        out.print(table("answers", ["", *found["with"]], lines))
        gain = found["gain"]
        out.print(
            f"gain: EM {gain['em']:+.3f} (p = {gain['p']:.3f}), F1 {gain['f1']:+.3f} "
            f"(p = {gain['p_f1']:.3f})"
        )
    out.print(
        f"{found['calls']:.2f} model calls and {found['seconds']:.2f} s a question with, "
        f"{found['seconds_without']:.2f} s without"
    )


def _line(row: Row) -> str:
    outcome = row.outcome
    value = {
        "id": row.asked.id,
        "question": row.asked.text,
        "gold": row.asked.answer,
        "type": row.asked.type,
        "without": row.without.text,
        "without_ending": row.without.ending,
        "with": row.with_.text,
        "with_ending": row.with_.ending,
        "supporting_before": sorted(row.before.index(p) + 1 for p in _found(row, row.before)),
        "supporting_after": sorted(row.after.index(p) + 1 for p in _found(row, row.after)),
        "calls": row.calls,
        "seconds": round(row.think_seconds + row.with_.seconds, 3),
        "facts": list(outcome.in_words()) if outcome else [],
        "asked": list(outcome.asked) if outcome else [],
        "missing": list(outcome.missing) if outcome else [],
        "names": list(outcome.names) if outcome else [],
        "vote": outcome.vote if outcome else "",
        "stopped": outcome.stopped if outcome else "",
    }
    return json.dumps(value, ensure_ascii=False)


def _found(row: Row, ranked: tuple[str, ...]) -> frozenset[str]:
    return row.asked.supporting & frozenset(ranked)
