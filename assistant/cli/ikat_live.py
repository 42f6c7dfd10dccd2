"""`assistant eval ikat closed|run|simulate`: the pipeline measured and run on conversations."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.context import EvaluatedReaderOption, JsonFlag, LimitOption, workspace
from assistant.cli.ikat import ikat as ikat  # its commands here are registered by the import
from assistant.cli.ikat import print_wide
from assistant.cli.ikat_tables import row_json, show_rows, show_selection
from assistant.cli.output import console, progress_bars, table, write_json
from assistant.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from assistant.workspace import Workspace

CACHE = "eval/model-answers.sqlite"

SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of the sample.")]


@ikat.command("closed")
def closed(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A collection with `history` in its queries.")],
    rows: Annotated[
        str, typer.Option("--rows", help="Rows to measure, by comma; all that can be by default.")
    ] = "",
    against: Annotated[
        str, typer.Option("--against", help="The row that the others are tested against.")
    ] = "raw",
    only: Annotated[str, typer.Option("--only", help="Turns whose id begins so.")] = "",
    limit: LimitOption = None,
    seed: SeedOption = 0,
    ptkb_qrels: Annotated[
        Path | None,
        typer.Option("--ptkb-qrels", help="NIST's labels of statements, instead of the queries'."),
    ] = None,
    by_turn: Annotated[
        bool, typer.Option("--by-turn", help="nDCG@5 of each turn as well.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """An ablation of understanding on a closed collection, with and without shown passages.

    Answers of the language model are kept by prompt, so a second run asks it nothing.

    Example:

      assistant eval ikat closed data/ikat_responses --rows raw,rules,human
    """
    from eval.ikat.ablation import NAMES
    from eval.ikat.closed import evaluate_closed
    from eval.ikat.conversations import load_conversations
    from eval.ikat.selection import evaluate_selection
    from eval.ikat.understanders import ablation_of

    wanted = [name.strip() for name in rows.split(",") if name.strip()]
    for name in wanted:
        if name not in NAMES:
            raise UnknownNameError("row", name, NAMES)
    collection, turns = load_conversations(folder, only=only, limit=limit, seed=seed)
    opened = workspace(context)
    opened.answer_cache = _cache(opened)
    ablation, wanted = ablation_of(opened, turns, wanted)
    if against not in wanted and against != "raw":
        raise UnknownNameError("row of this call", against, wanted)
    selector = opened.statement_selector
    with progress_bars(quiet=as_json) as on_progress:
        made = evaluate_closed(
            opened, collection, turns, ablation, wanted, on_progress, against=against
        )
        selection = evaluate_selection(
            opened, collection, turns, ablation, selector, ptkb_qrels, on_progress
        )
    if as_json:
        write_json(
            {
                "collection": collection.name,
                "turns": len(turns),
                "only": only,
                "relevant_from": 1,
                "against": against,
                "rows": [row_json(row, by_turn=by_turn) for row in made],
                "statements": selection,
            }
        )
        return
    show_rows(collection.name, len(turns), made, against)
    if selection is not None:
        show_selection(selection)
    if by_turn:
        print_wide(
            table(
                "nDCG@5 by turn (shown passages removed in brackets)",
                ["turn", *(row.name for row in made)],
                [
                    (turn.id, *("{:.3f} ({:.3f})".format(*row.by_turn[turn.id]) for row in made))
                    for turn in turns
                ],
            )
        )


@ikat.command("run")
def run(
    context: typer.Context,
    topics: Annotated[Path, typer.Option("--topics", help="Topics of any year.")],
    index: Annotated[str, typer.Option("--index", "-i", help="The index to search.")],
    out: Annotated[Path, typer.Option("--out", help="The run file to write.")],
    year: Annotated[
        int | None, typer.Option("--year", help="Form of the run; that of the topics if left out.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name of the run.")] = "knowledge-assistant",
    team: Annotated[str, typer.Option("--team", help="Team (2025).")] = "local",
    depth: Annotated[
        int, typer.Option("--depth", min=1, max=999, help="Passages ranked for each turn.")
    ] = 999,
    history: Annotated[
        str, typer.Option("--history", help="canonical, or own: the assistant's own answers.")
    ] = "canonical",
    only: Annotated[str, typer.Option("--only", help="Topics whose number begins so.")] = "",
    reader: EvaluatedReaderOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop an unfinished run.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """A run for the track from the live pipeline. Interrupted, the same command goes on.

    Example:

      assistant eval ikat run --topics 2025_test_topics.json --index clueweb --out my-run.jsonl
    """
    from eval.ikat.running import make_run
    from eval.ikat.topics import load_topics, year_of
    from eval.ikat.validation import validate
    from eval.reader_names import reader_setting
    from eval.responses import history_named

    shown = history_named(history)
    loaded = load_topics(topics)
    form = year or year_of(topics)
    chosen = [topic for topic in loaded if topic.number.startswith(only)]
    if not chosen:
        raise UsageError(f"{topics} has no topic whose number begins with '{only}'")
    opened = workspace(context, answering__reader=reader_setting(reader))
    opened.answer_cache = _cache(opened)
    with progress_bars(quiet=as_json) as on_progress:
        made = make_run(
            opened,
            chosen,
            index,
            out,
            form,
            name=name,
            team=team,
            depth=depth,
            history=shown,
            fresh=fresh,
            on_progress=on_progress,
        )
    violations = validate(out, chosen, form)
    errors = [violation for violation in violations if violation.level == "error"]
    result = {
        "run": str(out),
        "year": form,
        "turns": len(made.turns),
        "errors": len(errors),
        "warnings": len(violations) - len(errors),
    }
    if as_json:
        write_json(result)
        return
    words = f"{len(errors)} errors, {len(violations) - len(errors)} warnings"
    console().print(f"{out}: {len(made.turns)} turns in the form of {form}; {words}", markup=False)
    for violation in errors[:10]:
        console().print(f"  {violation.turn}: {violation.message}", markup=False)


@ikat.command("simulate")
def simulate_conversations(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A collection with `history` in its queries.")],
    conversations: Annotated[
        int | None, typer.Option("--conversations", min=1, help="A sample of so many.")
    ] = None,
    only: Annotated[str, typer.Option("--only", help="Turns whose id begins so.")] = "",
    seed: SeedOption = 0,
    reader: EvaluatedReaderOption = None,
    as_json: JsonFlag = False,
) -> None:
    """What is lost when the history holds the assistant's own answers, not the canonical ones.

    Example:

      assistant eval ikat simulate data/ikat_responses --reader extractive --conversations 10
    """
    from eval.collections import sample
    from eval.ikat.conversations import load_conversations
    from eval.ikat.simulation import MEASURE, conversations_of, simulate
    from eval.reader_names import reader_setting

    collection, turns = load_conversations(folder, only=only)
    groups = conversations_of(turns)
    groups = [groups[place] for place in sorted(sample(range(len(groups)), conversations, seed))]
    opened = workspace(context, answering__reader=reader_setting(reader))
    opened.answer_cache = _cache(opened)
    with progress_bars(quiet=as_json) as on_progress:
        report = simulate(opened, collection, groups, on_progress)
    if as_json:
        write_json({"measure": MEASURE, **dataclasses.asdict(report)})
        return
    title = f"{collection.name}: {report.conversations} conversations, {report.turns} turns"
    rows = [
        ("canonical", report.canonical, report.abstained["canonical"]),
        ("own", report.own, report.abstained["own"]),
    ]
    print_wide(table(title, ["history", MEASURE, "abstained"], rows))
    low, high = report.interval
    console().print(
        f"lost {report.lost:.4f} (95 % interval {low:.4f} to {high:.4f}, p = {report.p:.4f}); "
        f"median {report.seconds:.2f} s a turn"
    )


def _cache(opened: Workspace) -> Any:
    from assistant.models.answer_cache import AnswerCache

    return AnswerCache(opened.settings.home / CACHE)
