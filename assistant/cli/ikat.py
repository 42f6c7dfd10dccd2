"""`assistant eval ikat`: runs of TREC iKAT, scored and checked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from assistant.cli.context import JsonFlag
from assistant.cli.output import console, table, write_json
from assistant.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from eval.ikat.scoring import Comparison, ScoreReport
    from eval.ikat.statements import StatementReport

ikat = typer.Typer(help="Runs of TREC iKAT 2023, 2024 and 2025.", no_args_is_help=True)

YearOption = Annotated[
    int | None, typer.Option("--year", help="2023, 2024 or 2025; found from the file if left out.")
]


@ikat.command("score")
def score(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Runs of any year's form.")],
    qrels: Annotated[Path, typer.Option("--qrels", help="Judged passages, TREC's format, 0 to 4.")],
    year: YearOption = None,
    relevant_from: Annotated[
        int, typer.Option("--relevant-from", min=1, max=4, help="Grade for P, R, AP and RR.")
    ] = 2,
    missing: Annotated[
        str, typer.Option("--missing", help="Judged turns that a run lacks: zero or skip.")
    ] = "zero",
    ptkb_qrels: Annotated[
        Path | None,
        typer.Option("--ptkb-qrels", help="Labels of statements: NIST's rows or a topics file."),
    ] = None,
    topics: Annotated[
        Path | None, typer.Option("--topics", help="Texts of the statements, for NIST's rows.")
    ] = None,
    test_measure: Annotated[
        str, typer.Option("--test-measure", help="Measure of the significance test.")
    ] = "nDCG@5",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the test.")] = 0,
    by_turn: Annotated[bool, typer.Option("--by-turn", help="One row a turn as well.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure rankings and chosen statements; several runs are tested against the first.

    Example:

      assistant eval ikat score first.json second.json --qrels 2024-qrels.trec
    """
    from eval.ikat.comparing import named_apart
    from eval.ikat.judgements import read_statement_labels, read_trec_qrels
    from eval.ikat.reporting import run_json
    from eval.ikat.runs import read_run
    from eval.ikat.scoring import MEASURES, compare, score_run, thresholds
    from eval.ikat.statements import score_statements
    from eval.ikat.topics import load_topics

    if test_measure not in MEASURES:  # before the files are read
        raise UnknownNameError("measure", test_measure, MEASURES)
    if topics is not None and ptkb_qrels is None:
        raise UsageError(
            "--topics alone has no use here", remedy="give the labels too: --ptkb-qrels FILE"
        )
    judged = read_trec_qrels(qrels)
    read = named_apart([(path, read_run(path, year)) for path in runs])
    reports = [score_run(run, judged, relevant_from=relevant_from, missing=missing) for run in read]
    comparisons = [None, *compare(reports, test_measure, seed=seed)]
    statements: list[StatementReport | None] = [None] * len(read)
    if ptkb_qrels is not None:
        labels = read_statement_labels(ptkb_qrels, load_topics(topics) if topics else ())
        statements = [
            None if run.ranking_only else score_statements(run.statements(), labels) for run in read
        ]
        if not any(statements):
            raise UsageError(
                "--ptkb-qrels: no run holds statements, they are rankings alone",
                remedy="give runs in a year's own form, or leave --ptkb-qrels out",
            )
    if as_json:
        entries = [
            run_json(*parts, test_measure=test_measure, by_turn=by_turn)
            for parts in zip(reports, comparisons, statements, strict=True)
        ]
        write_json(
            {
                "qrels": qrels,
                "turns_judged": len(judged),
                "relevant_from": relevant_from,
                "thresholds": thresholds(relevant_from),
                "missing": missing,
                "test": {"measure": test_measure, "rounds": 10_000, "seed": seed},
                "ptkb_qrels": ptkb_qrels,
                "runs": entries,
            }
        )
        return
    _show_measures(reports, qrels, relevant_from, missing)
    _show_comparisons(reports, comparisons, test_measure)
    _show_statements(reports, statements, ptkb_qrels)
    if by_turn:
        _show_turns(reports, statements)


@ikat.command("validate")
def validate_run(
    run: Annotated[Path, typer.Argument(help="A run to hand in.")],
    topics: Annotated[Path, typer.Option("--topics", help="The topics of its year.")],
    year: YearOption = None,
    as_json: JsonFlag = False,
) -> int:
    """Check a run against the organisers' rules. Exit status 1 if one is broken.

    Example:

      assistant eval ikat validate my-run.jsonl --topics 2025_test_topics.json
    """
    from eval.ikat.reporting import validation_json
    from eval.ikat.topics import load_topics, year_of
    from eval.ikat.validation import validate

    loaded = load_topics(topics, year)
    year = year or year_of(topics)
    violations = validate(run, loaded, year)
    result = validation_json(str(run), year, violations)
    if as_json:
        write_json(result)
        return 0 if result["ok"] else 1
    out = console()
    if violations:
        rows = [(v.level, v.line or "", v.turn or "", v.rule, v.message) for v in violations]
        print_wide(table("", ["level", "line", "turn", "rule", "what"], rows))
    for rule, count in Counter(violation.rule for violation in violations).most_common():
        out.print(f"{count:>6}  {rule}", markup=False)
    words = "keeps the rules" if result["ok"] else "breaks the rules"
    counts = f"{result['errors']} errors, {result['warnings']} warnings"
    out.print(f"{run} {words} of {year}: {counts}", markup=False)
    return 0 if result["ok"] else 1


def print_wide(made: Table) -> None:
    """In a file or a pipe a table is as wide as it needs: folded names cannot be searched for."""
    out = console()
    if not out.is_terminal:
        out.width = 200
    out.print(made)


def _show_measures(
    reports: list[ScoreReport], qrels: Path, relevant_from: int, missing: str
) -> None:
    out = console()
    title = f"{qrels.name}: {reports[0].judged} turns judged"
    names = list(reports[0].measures)
    rows = [(report.run, *report.measures.values()) for report in reports]
    print_wide(table(title, ["run", *names], rows))
    out.print(f"nDCG takes the grade (0 to 4) as gain; the others: relevant from {relevant_from}")
    for report in reports:
        counted = "count 0" if missing == "zero" else "left out"
        out.print(
            f"{report.run}: {report.in_run} turns, {report.unjudged} of them not judged and left "
            f"out; {report.absent} judged turns missing, {counted}; "
            f"mean over {len(report.by_turn)}",
            markup=False,
        )


def _show_comparisons(
    reports: list[ScoreReport], comparisons: list[Comparison | None], measure: str
) -> None:
    out = console()
    out.print()
    rows: list[tuple[Any, ...]] = []
    for report, found in zip(reports, comparisons, strict=True):
        low, high = report.interval(measure)
        mean = (report.run, report.measures[measure], f"{low:.4f} to {high:.4f}")
        tested = (found.difference, found.turns, found.p, found.p_holm) if found else ("",) * 4
        rows.append((*mean, *tested))
    columns = ["run", measure, "95 % interval", "difference", "turns", "p", "p (Holm)"]
    if len(reports) == 1:
        print_wide(table("", columns[:3], [rows[0][:3]]))
        return
    print_wide(table("against the first run", columns, rows))
    out.print("p: paired randomisation test, two-sided, 10,000 rounds; Holm over the runs")


def _show_statements(
    reports: list[ScoreReport], statements: list[StatementReport | None], labels: Path | None
) -> None:
    found = [(report.run, s) for report, s in zip(reports, statements, strict=True) if s]
    if labels is None or not found:
        return
    out = console()
    first = found[0][1]
    rows = []
    for name, report in found:
        pooled = report.pooled
        means = (report.mean_labelled.f1, report.mean_all.f1)
        rows.append((name, pooled.precision, pooled.recall, pooled.f1, *means, report.unknown))
    columns = ["run", "P", "R", "F1", "mean F1 labelled", "mean F1 all", "unknown"]
    out.print()
    print_wide(table(f"{labels.name}: statements of the person", columns, rows))
    out.print(
        f"P, R, F1: counts added up over the {first.labelled} turns with a relevant statement; "
        f"all: {first.turns} turns, choosing nothing where nothing is relevant counts 1"
    )


def _show_turns(reports: list[ScoreReport], statements: list[StatementReport | None]) -> None:
    names = list(reports[0].measures)
    for report, chosen in zip(reports, statements, strict=True):
        rows = []
        for turn, values in report.by_turn.items():
            extra = [""] if chosen and turn not in chosen.by_turn else []
            if chosen and turn in chosen.by_turn:
                extra = [f"{chosen.by_turn[turn].f1:.4f}"]
            rows.append((turn, *values.values(), *extra))
        out = console()
        out.print()
        print_wide(table(report.run, ["turn", *names, *(["PTKB F1"] if chosen else [])], rows))
