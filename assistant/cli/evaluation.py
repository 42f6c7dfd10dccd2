"""`assistant eval`: the evaluation scripts of `eval/`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from assistant.cli.answering_eval import forms, reliance
from assistant.cli.context import EvaluatedReaderOption, JsonFlag, LimitOption, workspace
from assistant.cli.distillation_eval import distillation, threshold
from assistant.cli.extraction import extraction
from assistant.cli.fusion_eval import fusion as fusion_weights
from assistant.cli.fusion_eval import reranking
from assistant.cli.ikat_live import ikat
from assistant.cli.knowledge_eval import knowledge
from assistant.cli.output import console, progress_bars, table, write_json
from assistant.cli.own_eval import own
from assistant.cli.running import JobOption, progress_of
from assistant.cli.thoughts_eval import thoughts
from assistant.errors import UsageError

if TYPE_CHECKING:
    from eval.judging import Opinion
    from eval.response_report import Group, ResponsesReport

evaluation = typer.Typer(help="Measure on collections with judgements.", no_args_is_help=True)
evaluation.add_typer(ikat, name="ikat")
evaluation.add_typer(own, name="own")
evaluation.command("thoughts")(thoughts)
evaluation.command("forms")(forms)
evaluation.command("reliance")(reliance)
evaluation.command("extraction")(extraction)
evaluation.command("distillation")(distillation)
evaluation.command("threshold")(threshold)
evaluation.command("knowledge")(knowledge)
evaluation.command("fusion")(fusion_weights)
evaluation.command("reranking")(reranking)


@evaluation.command("retrieval")
def retrieval(
    context: typer.Context,
    collection: Annotated[Path, typer.Argument(help="Folder in BEIR's layout.")],
    stages: Annotated[
        bool, typer.Option("--stages", help="Show each retriever alone beside the fusion.")
    ] = False,
    fusion: Annotated[
        str, typer.Option(help="min-max, rrf, combmnz, z-score or tm2c2.")
    ] = "min-max",
    run: Annotated[Path | None, typer.Option("--run", help="Write a TREC run file here.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Add the measures to the history of the page.")
    ] = False,
    as_json: JsonFlag = False,
    job: JobOption = None,
) -> None:
    """nDCG and recall of retrieval. The corpus is indexed on first use and kept.

    Example:

      assistant eval retrieval data/scifact --stages --run scifact.run
    """
    from eval.collections import load_collection
    from eval.retrieval import evaluate_retrieval, report_json, write_run

    loaded = load_collection(collection)
    opened = workspace(context)
    with progress_of(job, quiet=as_json) as on_progress:
        report = evaluate_retrieval(opened, loaded, fusion=fusion, on_progress=on_progress)
        if keep:
            from eval import history

            settings = opened.settings
            one = history.measured(report, loaded, settings, fusion)
            history.keep(history.evaluation_folder(settings.home), one)
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
    questions: Annotated[
        Path, typer.Argument(help="JSON lines: passage, question, answers; or SQuAD's own form.")
    ],
    index: Annotated[
        str | None, typer.Option("--index", help="Retrieve from this index instead of the row's.")
    ] = None,
    reader: EvaluatedReaderOption = None,
    limit: LimitOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sample.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Exact match and F1 of answers, and how well it abstains (SQuAD 2.0's measures).

    Example:

      assistant eval answers data/squad2/dev.jsonl --limit 100 --seed 1
    """
    from assistant.reading import choose_reader
    from eval.answers import evaluate_answers, report_json
    from eval.questions import load_questions
    from eval.reader_names import reader_setting

    opened = workspace(context, answering__reader=reader_setting(reader))
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


@evaluation.command("responses")
def responses(
    context: typer.Context,
    tasks: Annotated[Path, typer.Argument(help="JSON lines: text, history, reference_answers, …")],
    collection: Annotated[
        Path | None, typer.Option("--collection", help="Folder in BEIR's layout with the passages.")
    ] = None,
    index: Annotated[str | None, typer.Option("--index", help="Ask this index instead.")] = None,
    reader: EvaluatedReaderOption = None,
    limit: LimitOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sample.")] = 0,
    history: Annotated[
        str, typer.Option("--history", help="Earlier replies: canonical (given) or own.")
    ] = "canonical",
    judge: Annotated[
        bool, typer.Option("--judge", help="Ask the language model for its opinion as well.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Whole turns against reference answers: likeness, groundedness, recall, abstention.

    Example:

      assistant eval responses data/mtrag/tasks.jsonl --collection data/mtrag --limit 40
    """
    from eval.collections import load_corpus
    from eval.judging import judge_model, judge_responses
    from eval.reader_names import reader_setting
    from eval.response_report import report_json, summarise
    from eval.response_tasks import load_tasks
    from eval.responses import evaluate_responses, history_named, private_workspace
    from eval.retrieval import index_collection

    shown = history_named(history)
    if collection is not None and index is not None:
        raise UsageError("--collection and --index exclude each other", remedy="give one of them")
    rows = load_tasks(tasks, limit=limit, seed=seed)
    corpus = load_corpus(collection) if collection else None
    personal = workspace(context, answering__reader=reader_setting(reader))
    with private_workspace(personal) as opened, progress_bars(quiet=as_json) as on_progress:
        model = judge_model(opened) if judge else None  # before the work, if there is none
        name = index or opened.settings.retrieval.index
        if corpus is not None:
            name = index_collection(opened, corpus, on_progress).manifest.name
        measured = evaluate_responses(
            opened,
            rows,
            name,
            history=shown,
            on_progress=on_progress,
        )
        opinion = None
        if model is not None:
            opinion = judge_responses(
                [m.response for m in measured], *model, on_progress=on_progress
            )
    report = summarise(measured)
    if as_json:
        write_json(report_json(report, measured, opinion))
    else:
        _show_responses(tasks.name, report, opinion)


def _show_responses(name: str, report: ResponsesReport, opinion: Opinion | None) -> None:
    from eval.response_report import opinion_json

    out = console()
    title = f"{name}: {report.tasks} tasks, reader: {report.reader or 'none'}"
    rows = [
        (measure, _known(m.mean), _known(m.low), _known(m.high), m.tasks)
        for measure, m in report.measures.items()
    ]
    out.print(table(title, ["measure", "mean", "95 % from", "to", "tasks"], rows))
    found = report.abstention
    out.print(
        f"abstention (unanswerable is positive): P {_known(found.precision)}, "
        f"R {_known(found.recall)}, F1 {_known(found.f1)}; {found.abstained} abstentions, "
        f"{found.unanswerable} unanswerable of {found.tasks} tasks"
    )
    for heading, groups in (
        ("by answerability", report.by_answerability),
        ("by question type (a task may have several)", report.by_question_type),
    ):
        out.print()
        out.print(_group_table(heading, groups))
    out.print()
    if report.outcomes["failed"]:
        out.print(f"{report.outcomes['failed']} turns failed; --json names them")
    out.print(f"{report.seconds_per_task:.2f} s a task")
    if opinion is not None:
        judged = opinion_json(opinion)
        out.print(
            f"opinion of the model {opinion.model} (not a measure): faithful "
            f"{_known(judged['faithful'])}, complete {_known(judged['complete'])} of 5; "
            f"{judged['judged']} judged, {opinion.unusable} unusable"
        )


def _group_table(heading: str, groups: dict[str, Group]) -> Table:
    """Two digits and short headings, so that a row fits into eighty columns."""
    rows = [
        (
            label,
            group.tasks,
            *(f"{group.outcomes[name]:.2f}" for name in ("abstained", "replied")),
            *("–" if value is None else f"{value:.2f}" for value in group.measures.values()),
        )
        for label, group in groups.items()
    ]
    measures = ("rouge_l", "simil.", "ground.", "cited", "found")
    return table(heading, ["", "tasks", "abst.", "reply", *measures], rows)


def _known(value: float | None) -> float | str:
    return "–" if value is None else value
