"""`assistant eval extraction`: facts found against facts annotated by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.output import console, table, write_json
from assistant.errors import UsageError

if TYPE_CHECKING:
    from assistant.thoughts.extraction.types import Extractor
    from assistant.workspace import Workspace
    from eval.extraction import ExtractionReport


def extraction(
    context: typer.Context,
    split: Annotated[
        str | None, typer.Option("--split", help="Only this split: dev or test.")
    ] = None,
    extractor: Annotated[
        str, typer.Option("--extractor", help="rules, or model (the answering model).")
    ] = "rules",
    agreement: Annotated[
        bool,
        typer.Option("--agreement", help="The second annotator against the first instead."),
    ] = False,
    facts: Annotated[
        Path | None, typer.Option("--facts", help="Annotated passages instead of the built-in.")
    ] = None,
    second: Annotated[
        Path | None, typer.Option("--second", help="The second annotation, for --agreement.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Precision, recall and F1 of fact extraction on passages annotated by hand.

    Example:

      assistant eval extraction --split test --extractor rules
    """
    from eval.extraction import (
        FACTS,
        SECOND,
        evaluate_extraction,
        load_annotated,
        report_json,
    )
    from eval.extraction import agreement as agree

    if extractor not in ("rules", "model"):
        raise UsageError(f"no extractor '{extractor}'", remedy="choose rules or model")
    rows = load_annotated(facts or FACTS, split=split)
    if agreement:
        report = agree(rows, load_annotated(second or SECOND, split=split))
    else:
        report = evaluate_extraction(_extractor(workspace(context), extractor), rows)
    if as_json:
        write_json(report_json(report))
    else:
        _show(report)


def _extractor(opened: Workspace, name: str) -> Extractor:
    if name == "model":
        from assistant.reading import answering_model
        from assistant.thoughts.extraction.model import ModelExtractor

        model, kind = answering_model(opened)
        return ModelExtractor(model, kind)
    from assistant.thoughts.extraction.deterministic import DeterministicExtractor

    return DeterministicExtractor(opened.parser)


def _show(report: ExtractionReport) -> None:
    rows: list[tuple[object, ...]] = []
    for split in report.passages:
        for way, scores in (("strict", report.strict), ("lenient", report.lenient)):
            score = scores[split]
            rows.append(
                (
                    split,
                    way,
                    score.precision,
                    score.recall,
                    score.f1,
                    score.matched,
                    score.found,
                    score.wanted,
                )
            )
    title = f"{report.what}: {report.passages['all']} passages"
    out = console()
    headings = ["split", "match", "P", "R", "F1", "matched", "found", "annotated"]
    out.print(table(title, headings, rows))
    for split, flags in report.flags.items():
        out.print(
            f"flags of the {int(flags['pairs'])} lenient pairs ({split}): negation right "
            f"{flags['negated']:.3f}, hedging {flags['hedged']:.3f}, dates {flags['dates']:.3f}"
        )
    if report.seconds:
        out.print(f"{report.passages['all'] / report.seconds:.1f} passages/s")
