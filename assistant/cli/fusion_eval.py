"""`assistant eval fusion` and `eval reranking`: weights chosen on some queries, told on others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.output import console, progress_bars, table, write_json
from indexes.files import storage_errors

if TYPE_CHECKING:
    from eval.cross_validation import Validation
    from eval.fusion import FusionReport

Collections = Annotated[list[Path], typer.Argument(help="Folders in BEIR's layout.")]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Parts of the cross-validation.")]
Seed = Annotated[int, typer.Option("--seed", help="Which queries go into which fold.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the whole report here, as JSON.")]


def fusion(
    context: typer.Context,
    collections: Collections,
    folds: Folds = 5,
    step: Annotated[float, typer.Option("--step", help="Step of the grid of weights.")] = 0.1,
    seed: Seed = 0,
    out: Out = None,
    as_json: JsonFlag = False,
) -> None:
    """Fusion functions and weights, chosen by nDCG@5 on some queries and told on the others.

    Example:

      assistant eval fusion data/mtrag data/hotpotqa data/scifact --folds 5 --out fusion.json
    """
    from eval.fusion import evaluate_fusion

    with progress_bars(quiet=as_json) as on_progress:
        report = evaluate_fusion(
            workspace(context),
            collections,
            folds=folds,
            step=step,
            seed=seed,
            on_progress=on_progress,
        )
    _tell(report, out, as_json=as_json)


def reranking(
    context: typer.Context,
    collections: Collections,
    depth: Annotated[
        int, typer.Option("--depth", min=2, help="Passages of the fused list that are reranked.")
    ] = 20,
    reranker: Annotated[
        str,
        typer.Option("--reranker", help="late-interaction, distilled, or a folder."),
    ] = "late-interaction",
    cross_encoder: Annotated[
        Path | None,
        typer.Option("--cross-encoder", help="The same as --reranker FOLDER."),
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option("--weight", min=0, max=1, help="Also told at this one, chosen elsewhere."),
    ] = None,
    folds: Folds = 5,
    seed: Seed = 0,
    out: Out = None,
    as_json: JsonFlag = False,
) -> None:
    """What reranking adds to the fusion, its weight chosen by nDCG@5 on other queries.

    Example:

      assistant eval reranking data/mtrag data/hotpotqa --depth 20

      assistant eval reranking data/mtrag --reranker distilled --weight 0.5 --depth 50
    """
    from eval.reranking import evaluate_reranking, reranking_json

    with progress_bars(quiet=as_json) as on_progress:
        measured = evaluate_reranking(
            workspace(context),
            collections,
            depth=depth,
            reranker=reranker if cross_encoder is None else str(cross_encoder),
            weight=weight,
            folds=folds,
            seed=seed,
            on_progress=on_progress,
        )
    _write(out, reranking_json(measured))
    if as_json:
        write_json(reranking_json(measured))
        return
    _show(measured.report)
    if measured.weight is not None:
        fixed = [
            (f.collection, f.fused[0], f.reranked[0], f.fused[1], f.reranked[1], f.p, f.verdict)
            for f in measured.fixed
        ]
        heads = ["collection", "nDCG@5 fused", "reranked", "nDCG@10 fused", "reranked", "p", ""]
        console().print(table(f"{measured.reranker} × {measured.weight:g}", heads, fixed))
    rows = [
        (cost.collection, cost.queries, f"{cost.median:.0f}", f"{cost.highest:.0f}")
        for cost in measured.costs
    ]
    columns = ["milliseconds a query", "timed", "median", "most"]
    console().print(table(f"{depth} passages, encoded anew for each query", columns, rows))


def _tell(report: FusionReport, out: Path | None, *, as_json: bool) -> None:
    from eval.fusion import report_json

    _write(out, report_json(report))
    if as_json:
        write_json(report_json(report))
    else:
        _show(report)


def _write(out: Path | None, value: object) -> None:
    if out is not None:
        with storage_errors(out):
            out.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _show(report: FusionReport) -> None:
    """A table per scheme: held-out values of each way, beside the default's on the same queries."""
    schemes: list[tuple[str, list[tuple[str, Validation]]]] = [
        (
            f"chosen on other queries ({report.folds} folds)",
            [(way.name, way.folds) for way in report.ways],
        ),
        (
            "chosen on the other collections",
            [(way.name, way.left_out) for way in report.ways if way.left_out is not None],
        ),
    ]
    columns = ["", "collection", "nDCG@5", "default", "p", "nDCG@10", "default"]
    out = console()
    for title, validations in schemes:
        if not validations:
            continue
        rows: list[tuple[object, ...]] = []
        for name, found in validations:
            rows += [
                (name, c.collection, c.ndcg[0], c.default[0], c.p, c.ndcg[1], c.default[1])
                for c in found.collections
            ]
        out.print(table(f"held out, {title}; default: {report.default}", columns, rows))
        for name, found in validations:
            signs = [f"better on {c}" for c in found.better] + [
                f"worse on {c}" for c in found.worse
            ]
            out.print(
                f"{name}: mean difference {found.difference:+.4f}; "
                f"p < .05: {', '.join(signs) or 'nowhere'}; chose "
                f"{'; '.join(dict.fromkeys(found.chosen))}"
            )
        out.print()
