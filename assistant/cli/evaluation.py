"""`assistant eval`: the evaluation scripts of `eval/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.ikat import ikat
from assistant.cli.output import console, progress_bars, table, write_json
from assistant.errors import UsageError

evaluation = typer.Typer(help="Measure on collections with judgements.", no_args_is_help=True)
evaluation.add_typer(ikat, name="ikat")


@evaluation.command("retrieval")
def retrieval(
    context: typer.Context,
    collection: Annotated[Path, typer.Argument(help="Folder in BEIR's layout.")],
    stages: Annotated[
        bool, typer.Option("--stages", help="Show each retriever alone beside the fusion.")
    ] = False,
    fusion: Annotated[str, typer.Option(help="min-max or rrf.")] = "min-max",
    run: Annotated[Path | None, typer.Option("--run", help="Write a TREC run file here.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """nDCG and recall of retrieval. The corpus is indexed on first use and kept.

    Example:

      assistant eval retrieval data/scifact --stages --run scifact.run
    """
    from eval.collections import load_collection
    from eval.retrieval import evaluate_retrieval, report_json, write_run

    loaded = load_collection(collection)
    with progress_bars(quiet=as_json) as on_progress:
        report = evaluate_retrieval(
            workspace(context), loaded, fusion=fusion, on_progress=on_progress
        )
    if run is not None:
        write_run(report.run, run, f"fusion-{fusion}")
    if as_json:
        write_json(report_json(report))
        return
    names = list(report.measures)
    rows = [(f"fusion ({fusion})", *report.measures.values())]
    if stages:
        rows += [(stage, *measures.values()) for stage, measures in report.stages.items()]
    title = f"{report.collection}: {report.queries} queries, {report.passages:,} passages"
    console().print(table(title, ["", *names], rows))
    milliseconds = 1000 * report.seconds / report.queries
    console().print(f"relevant from grade 1; {milliseconds:.0f} ms a query")


@evaluation.command("answers")
def answers(
    context: typer.Context,
    questions: Annotated[Path, typer.Argument(help="JSON lines: passage, question, answers.")],
    index: Annotated[
        str | None, typer.Option("--index", help="Retrieve from this index instead of the row's.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option("--reader", help="auto, answerer, remote or extractive.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="A sample.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sample.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Exact match and F1 of answers, and how well it abstains (SQuAD 2.0's measures).

    Example:

      assistant eval answers data/squad2/dev.jsonl --limit 100 --seed 1
    """
    from assistant.reading import choose_reader
    from eval.answers import evaluate_answers, load_questions, report_json

    opened = workspace(context, answering__reader=reader)
    rows = load_questions(questions, limit=limit, seed=seed)
    if not rows:
        raise UsageError(f"{questions} has no questions")
    with progress_bars(quiet=as_json) as on_progress:
        report = evaluate_answers(
            opened, rows, choose_reader(opened, short=True), index=index, on_progress=on_progress
        )
    if as_json:
        write_json(report_json(report))
        return
    title = f"{questions.name}: {report.questions} questions, reader: {report.reader}"
    console().print(table(title, list(report.measures), [list(report.measures.values())]))
    console().print(f"{report.seconds_per_question:.2f} s a question")
