"""`assistant eval own`: the person's own questions, asked again as tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.context import EvaluatedReaderOption, JsonFlag, settings, workspace
from assistant.cli.output import console, table, write_json
from assistant.cli.running import JobOption, progress_of
from assistant.errors import UsageError

own = typer.Typer(help="Your own questions as tests: ask them all again, or keep new ones.")


@own.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    index: Annotated[
        str | None, typer.Option("--index", "-i", help="Ask this index instead of each one's own.")
    ] = None,
    reader: EvaluatedReaderOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Ids of the questions to ask.")
    ] = None,
    as_json: JsonFlag = False,
    job: JobOption = None,
) -> int:
    """Ask every kept question again and say what changed. Exit status 1 if one fails.

    Examples:

      assistant eval own

      assistant eval own --reader small

      assistant eval own add "When does the lease end?" --index notes --contains 2027
    """
    if context.invoked_subcommand is not None:
        return 0
    from eval.own.changes import changes
    from eval.own.running import run_own
    from eval.own.store import OwnQuestions
    from eval.reader_names import reader_setting

    opened = workspace(context, answering__reader=reader_setting(reader))
    kept = OwnQuestions(opened.settings.own_folder)
    with progress_of(job, quiet=as_json) as on_progress:
        identity = run_own(opened, kept, index=index, only=only or (), on_progress=on_progress)
    found = changes(kept.results(identity), kept.before(identity))
    failing = sum(not change.now.judged.passed for change in found)
    if as_json:
        rows = [{"change": change.kind, **_json(change.now)} for change in found]
        write_json({"run": identity, "passed": len(found) - failing, "results": rows})
    else:
        body = [
            ("pass" if c.now.judged.passed else "FAIL", c.kind, c.now.question_id, c.now.question)
            for c in found
        ]
        console().print(table("", ("", "", "id", "question"), body))
        console().print(f"{len(found) - failing} of {len(found)} pass")
    # For a job that went through, failing tests are a result and no failure of the work.
    return 1 if failing and job is None else 0


@own.command("list")
def list_questions(context: typer.Context, as_json: JsonFlag = False) -> None:
    """The kept questions, and what is expected of their answers."""
    from eval.own.store import OwnQuestions

    found = OwnQuestions(settings(context).own_folder).questions()
    if as_json:
        write_json({"questions": found})
        return
    rows = [(q.id, q.index, q.question, q.expectation.in_words) for q in found]
    console().print(table("", ("id", "index", "question", "the answer"), rows))


@own.command("add")
def add(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="The question.")],
    index: Annotated[str | None, typer.Option("--index", "-i", help="The index it asks.")] = None,
    cites: Annotated[
        list[str] | None, typer.Option("--cites", help="Address of a document to be cited.")
    ] = None,
    page: Annotated[
        int | None, typer.Option("--page", min=1, help="The page of that document.")
    ] = None,
    contains: Annotated[
        list[str] | None, typer.Option("--contains", help="Words that the answer must have.")
    ] = None,
    not_there: Annotated[
        bool, typer.Option("--not-there", help="The answer must be that it is not there.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Keep a question as a test.

    Example:

      assistant eval own add "Where do otters sleep?" --cites /notes/otters.md --contains backs
    """
    from eval.own.expectations import Expectation, Place
    from eval.own.store import OwnQuestions

    if page is not None and len(cites or ()) != 1:
        raise UsageError("--page needs one --cites", remedy="keep one test for each document")
    current = settings(context)
    expected = Expectation(
        tuple(Place(_address(uri), page=page) for uri in cites or ()),
        tuple(contains or ()),
        not_there,
    )
    kept = OwnQuestions(current.own_folder).add(
        question, index or current.retrieval.index, expected
    )
    if as_json:
        write_json(kept)
    else:
        console().print(f"kept: {kept.id}  {kept.question}", markup=False)


@own.command("delete")
def delete(
    context: typer.Context,
    identity: Annotated[str, typer.Argument(metavar="ID", help="See: assistant eval own list.")],
    as_json: JsonFlag = False,
) -> None:
    """Remove a question and its results."""
    from eval.own.store import OwnQuestions

    gone = OwnQuestions(settings(context).own_folder).delete(identity)
    if as_json:
        write_json({"deleted": gone})
    else:
        console().print(f"deleted: {gone.id}  {gone.question}", markup=False)


@own.command("history")
def history(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Every run, with how many questions passed."""
    from eval.own.store import OwnQuestions

    runs = OwnQuestions(settings(context).own_folder).runs()
    if as_json:
        write_json({"runs": runs})
        return
    rows = [
        (r.started, r.passed, r.done, r.settings.get("answering.reader", ""), r.fingerprint)
        for r in runs
    ]
    console().print(table("", ("started", "passed", "of", "reader", "settings"), rows))


def _address(given: str) -> str:
    """A document's address as an index has it: of a file its whole path."""
    path = Path(given).expanduser()
    return str(path.resolve()) if path.exists() else given


def _json(result: Any) -> dict[str, Any]:
    return dict(dataclasses.asdict(result))
