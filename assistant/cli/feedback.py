"""`assistant feedback`: what the person thought of answers; list, export, take back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.output import console, table, write_export, write_json
from assistant.errors import UnknownNameError, UsageError
from assistant.memory.feedback import Feedback, exported

feedback = typer.Typer(
    help="What you thought of answers. It stays on this computer.", no_args_is_help=True
)


def _feedback(context: typer.Context) -> Feedback:
    return workspace(context).feedback


@feedback.command("list")
def list_feedback(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Every judged answer, latest first."""
    found = _feedback(context).list()
    if as_json:
        write_json({"feedback": found})
    elif found:
        rows = [
            (one.turn_id[:8], one.at[:10], one.rating, one.question, one.reason) for one in found
        ]
        console().print(table("", ("turn", "date", "thumb", "question", "reason"), rows))
    else:
        console().print("no answer was judged yet; use the thumbs below an answer on the page")


@feedback.command("export")
def export_feedback(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="Where to write; standard output if left out.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """One JSON object a line: turn, question, answer, thumb, reason, date.

    Examples:

      assistant feedback export judged.jsonl
    """
    found = _feedback(context).list()
    if file is None:
        console().print(exported(found), end="", markup=False, highlight=False, soft_wrap=True)
        return
    write_export(file, exported(found), len(found), as_json=as_json)


@feedback.command("take-back")
def take_back(
    context: typer.Context,
    turn: Annotated[str, typer.Argument(help="The beginning of the turn's id; see `list`.")],
    as_json: JsonFlag = False,
) -> None:
    """Forget what you thought of an answer; the answer stays."""
    kept = _feedback(context)
    known = [one.turn_id for one in kept.list() if one.turn_id.startswith(turn)]
    if not known:
        raise UnknownNameError("judged turn", turn, [one.turn_id for one in kept.list()])
    if len(known) > 1:
        raise UsageError(f"{len(known)} turns begin with '{turn}'", remedy="give more of the id")
    kept.take_back(known[0])
    if as_json:
        write_json({"taken_back": known[0]})
    else:
        console().print("taken back")
