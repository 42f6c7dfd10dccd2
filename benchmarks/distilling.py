"""Parts of a recipe compared on one budget: same start, data and steps, several seeds.

    python -m benchmarks.distilling TRAIN HELD_OUT [--seeds 3] [--steps 30] [--family F]
        [--variant V] [--precision P] [--out DIR]

TRAIN and HELD_OUT are files of questions with their passages: JSON lines (`passage, question,
answers, answerable, title`), or SQuAD's own JSON. Each variant adds one part, at its defaults, to
the plain loss of its family (`benchmarks/distilling_families.py`). A finished run is one line in
DIR/results.jsonl and is not made again, so an interruption costs one run; a variant that raises is
a line, too. Without runs to make it prints the tables alone.
"""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.distillation.preparing import read_squad
from assistant.errors import KnowledgeAssistantError
from benchmarks.distilling_families import FAMILIES, Budget, Data, Family
from benchmarks.distilling_reader import run_of

Result = dict[str, Any]
PRECISIONS = ("auto", "fp32", "bf16")


def main(
    train: Annotated[Path, typer.Argument(help="questions with their passages")],
    held_out: Annotated[Path, typer.Argument(help="the same, of other articles")],
    seeds: Annotated[int, typer.Option(min=2)] = 3,
    steps: Annotated[int, typer.Option(min=1)] = 30,
    family: Annotated[list[str] | None, typer.Option(help="these alone")] = None,
    variant: Annotated[
        list[str] | None, typer.Option(help="these beside the plain loss, alone")
    ] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16; of one table")] = "auto",
    out: Annotated[Path, typer.Option(help="where results are kept")] = Path("compared"),
    tables: Annotated[bool, typer.Option("--tables", help="train nothing")] = False,
) -> None:
    """Train every variant with every seed, and print a table for each family."""
    if precision not in PRECISIONS:
        raise typer.BadParameter(f"no precision '{precision}'; there are {PRECISIONS}")
    families = {name: FAMILIES[name] for name in family or FAMILIES}
    known = {one for chosen in families.values() for one in chosen.variants}
    if unknown := set(variant or ()) - known:
        raise typer.BadParameter(f"no variant {sorted(unknown)}; there are {sorted(known)}")
    out.mkdir(parents=True, exist_ok=True)
    data = Data(_lines_of(train, out), _lines_of(held_out, out), out.absolute())
    report: Callable[[str], None] = print
    file = out / "results.jsonl"
    budget = Budget(steps, precision)
    for name, every in families.items():
        chosen = narrowed(every, variant)
        if not tables:
            chosen.prepare(data)
            for seed in range(seeds):  # seed by seed: an interruption leaves whole comparisons
                for one in chosen.variants:
                    _ensure(file, name, chosen, one, data, budget, seed)
        report(table(name, chosen, budget, _read(file)))


def narrowed(family: Family, names: Sequence[str] | None) -> Family:
    """The plain loss and the variants of these names; all of them where none is named."""
    if not names:
        return family
    plain = next(iter(family.variants))
    kept = {k: v for k, v in family.variants.items() if k == plain or k in names}
    return replace(family, variants=kept)


def table(name: str, family: Family, budget: Budget, results: Sequence[Result]) -> str:
    """A family's finished runs as Markdown: mean ± standard deviation over the seeds.

    The difference to the plain loss is of runs with the same seed.
    """
    own = [r for r in results if r["family"] == name and _is_of(r, budget)]
    measure = family.measure
    lines = [
        f"\n{name}: {family.about}, {budget}\n",
        f"| recipe | {measure} | over the plain loss | seeds | seconds a run |",
        "|---|---|---|---|---|",
    ]
    plain = _by_seed(own, next(iter(family.variants)), measure)
    for variant in family.variants:
        values = _by_seed(own, variant, measure)
        failed = [r["error"] for r in own if r["variant"] == variant and "error" in r]
        if not values:
            lines.append(f"| {variant} | {failed[0] if failed else 'not run'} | | 0 | |")
            continue
        shared = sorted(values.keys() & plain.keys())
        gains = [values[seed] - plain[seed] for seed in shared]
        gain = said(gains, sign="+") if gains and variant != next(iter(family.variants)) else ""
        seconds = statistics.mean(r["seconds"] for r in own if r["variant"] == variant)
        lines.append(
            f"| {variant} | {said(list(values.values()))} | {gain} "
            f"| {len(values)} | {seconds:.0f} |"
        )
    return "\n".join(lines)


def said(values: Sequence[float], sign: str = "") -> str:
    """Mean ± sample standard deviation; of one value itself alone."""
    mean = f"{statistics.mean(values):{sign}.3f}"
    return f"{mean} ± {statistics.stdev(values):.3f}" if len(values) > 1 else mean


def _by_seed(results: Sequence[Result], variant: str, measure: str) -> dict[int, float]:
    return {r["seed"]: r[measure] for r in results if r["variant"] == variant and measure in r}


def _ensure(
    file: Path, name: str, family: Family, variant: str, data: Data, budget: Budget, seed: int
) -> None:
    key = {"family": name, "variant": variant, "seed": seed}
    if any(_is_of(r, budget) and all(r[k] == v for k, v in key.items()) for r in _read(file)):
        return
    result: Result = {**key, "steps": budget.steps, "precision": budget.precision}
    try:
        result |= _run(family.recipe(variant, data, budget, seed), data.folder)
    except KnowledgeAssistantError as error:
        result["error"] = str(error)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(result) + "\n")


def _is_of(result: Result, budget: Budget) -> bool:
    return Budget(result["steps"], result.get("precision", "auto")) == budget


def _run(recipe: Mapping[str, Any], folder: Path) -> Result:
    root = folder / "run"
    run = run_of(recipe, root)
    seconds = sum(float(row["seconds"]) for row in run.table("curves.csv"))
    measures: Result = run.read_json("evaluation.json")
    shutil.rmtree(root)
    return {**measures, "seconds": round(seconds, 1)}


def _read(file: Path) -> list[Result]:
    if not file.is_file():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _lines_of(file: Path, out: Path) -> Path:
    """JSON lines of the file; SQuAD's own form is converted."""
    if file.suffix != ".json":
        return file.absolute()
    target = out.absolute() / f"{file.stem}.jsonl"
    rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in read_squad(file))
    target.write_text("".join(rows), encoding="utf-8")
    return target


if __name__ == "__main__":
    typer.run(main)
