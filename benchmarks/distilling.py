"""Parts of a recipe compared on one budget: same start, data and steps, several seeds.

    python -m benchmarks.distilling TRAIN.jsonl HELD_OUT.jsonl [--seeds 3] [--steps 40] [--out F]

The student is MiniLM's first layer and its last two; what is measured is how far up a held-out
question's own passage stands among all held-out passages (MRR@10). Lines are those of the source
`texts` with a question. Each variant adds one part to a plain loss, with weight 1 and its defaults.
Finished runs are kept in F and not made again, so an interruption costs one run.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from assistant.distillation.recipe import Recipe
from assistant.distillation.recipe_file import read_recipe
from assistant.distillation.run import finished_run

_TAUGHT, _ALONE = {"kind": "model", "path": "minilm"}, {"kind": "none"}
_MOMENTUM = {"kind": "momentum", "decay": 0.9}


def _losses(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


# The first of each family is the plain loss that the others are compared with.
FAMILIES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "taught by MiniLM": {
        "cosine": {"losses": _losses("cosine")},
        "cosine, rkd-distance": {"losses": _losses("cosine", "rkd-distance")},
        "cosine, rkd-angle": {"losses": _losses("cosine", "rkd-angle")},
        "cosine, forward-kl": {"losses": _losses("cosine", "forward-kl")},
        "cosine, universal-logit": {"losses": _losses("cosine", "universal-logit")},
        "cosine, wasserstein": {"losses": _losses("cosine", "wasserstein")},
        "cosine, EMA of weights": {
            "losses": _losses("cosine"),
            "average": {"kind": "ema", "decay": 0.9},
        },
    },
    "without a teacher": {
        "cross-entropy": {"losses": _losses("cross-entropy"), "teacher": _ALONE},
        "cross-entropy, forward-kl to a momentum teacher": {
            "losses": _losses("cross-entropy", "forward-kl"),
            "teacher": _MOMENTUM,
        },
        "cross-entropy, EMA of weights": {
            "losses": _losses("cross-entropy"),
            "teacher": _ALONE,
            "average": {"kind": "ema", "decay": 0.9},
        },
    },
}


def main(
    train: Annotated[Path, typer.Argument(help="questions with their passages")],
    held_out: Annotated[Path, typer.Argument(help="the same, of other articles")],
    seeds: Annotated[int, typer.Option(min=2)] = 3,
    steps: Annotated[int, typer.Option(min=1)] = 40,
    out: Annotated[Path, typer.Option(help="where the runs are kept")] = Path("runs"),
) -> None:
    """Train every variant with every seed, and print a table for each family."""
    report: Callable[[str], None] = print
    for family, variants in FAMILIES.items():
        report(f"\n{family}, {steps} steps of 32 pairs, {seeds} seeds\n")
        report("| losses | MRR@10 | over the plain loss | seconds a run |\n|---|---|---|---|")
        plain: list[float] = []
        for name, variant in variants.items():
            runs = [
                finished_run(_recipe(train, held_out, variant, steps, seed), out)
                for seed in range(seeds)
            ]
            values = [float(run.read_json("evaluation.json")["mrr"]) for run in runs]
            plain = plain or values
            better = [value - first for value, first in zip(values, plain, strict=True)]
            seconds = [sum(float(r["seconds"]) for r in run.table("curves.csv")) for run in runs]
            gain = "" if values is plain else _said(better, sign="+")
            report(f"| {name} | {_said(values)} | {gain} | {statistics.mean(seconds):.0f} |")


def _recipe(
    train: Path, held_out: Path, variant: Mapping[str, Any], steps: int, seed: int
) -> Recipe:
    source = {"source": "texts", "sentences": 0, "title": False}
    values = {
        "name": "compared",
        "task": {"name": "embed", "max_length": 192},
        "student": {
            "model": "minilm",
            "layers": [0, 4, 5],
            "frozen": ["*word_embeddings*"],
            "dropout": 0.0,
        },
        "teacher": variant.get("teacher", _TAUGHT),
        "data": [{**source, "path": str(train.absolute())}],
        "held_out": [{**source, "path": str(held_out.absolute())}],
        "losses": variant["losses"],
        "loop": {
            "steps": steps,
            "batch_size": 32,
            "learning_rate": 3e-4,
            "warmup": 0.1,
            "seed": seed,
            "log_every": steps,
            "checkpoint_every": steps,
            "average": variant.get("average", {"kind": "none"}),
        },
    }
    return read_recipe(yaml.safe_dump(values), Path.cwd())


def _said(values: list[float], sign: str = "") -> str:
    return f"{statistics.mean(values):{sign}.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    typer.run(main)
