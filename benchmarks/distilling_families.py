"""What `benchmarks.distilling` compares: families of recipes that differ in one part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Data:
    """JSON lines to train on, to measure on, and a folder for what is made on the way."""

    train: Path
    held_out: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Family:
    """Variants of one recipe; the first is the plain loss that the others are compared with.

    Attributes:
        about: student, teacher and what is measured, for the table's heading.
        measure: a name of the run's evaluation.json.
        base: the recipe without its variant.
        variants: by name, sections that are replaced; `loop` is changed key by key.
    """

    about: str
    measure: str
    base: Callable[[Data], Values]
    variants: Mapping[str, Values]

    def recipe(self, variant: str, data: Data, steps: int, seed: int) -> Values:
        """The recipe of a variant, as plain data."""
        made = self.base(data)
        changes = dict(self.variants[variant])
        loop = {**made["loop"], **changes.pop("loop", {})}
        every = {"steps": steps, "seed": seed, "log_every": steps, "checkpoint_every": steps}
        return {**made, **changes, "name": "compared", "loop": {**loop, **every}}


def losses(*names: str, **weights: float) -> list[Values]:
    """Losses at their defaults; `universal_logit=1.5` gives one a weight."""
    given = {name.replace("_", "-"): weight for name, weight in weights.items()}
    return [{"name": n, **({"weight": given[n]} if n in given else {})} for n in names]


def _embed(data: Data) -> Values:
    source = {"source": "texts", "sentences": 0, "title": False}
    return {
        "task": {"name": "embed", "max_length": 64},
        "student": {
            "model": "minilm",
            "layers": [0, 4, 5],
            "frozen": ["*word_embeddings*"],
            "dropout": 0.0,
        },
        "teacher": {"kind": "model", "path": "minilm"},
        "data": [{**source, "path": str(data.train)}],
        "held_out": [{**source, "path": str(data.held_out), "limit": 300}],
        "loop": {"batch_size": 16, "learning_rate": 3e-4, "warmup": 0.1},
    }


_ALONE = {"kind": "none"}
_TUNE = {"part": "adapter", "targets": ["query", "value"]}
_EMA = {"average": {"kind": "ema", "decay": 0.9}}

FAMILIES: Mapping[str, Family] = {
    "embed": Family(
        "three layers of MiniLM learn MiniLM's vectors, MRR@10",
        "mrr",
        _embed,
        {
            "cosine": {"losses": losses("cosine")},
            "+ rkd-distance": {"losses": losses("cosine", "rkd-distance")},
            "+ rkd-angle": {"losses": losses("cosine", "rkd-angle")},
            "+ forward-kl": {"losses": losses("cosine", "forward-kl")},
            "+ universal-logit": {
                "losses": losses("cosine", "universal-logit", universal_logit=1.5)
            },
            "+ wasserstein": {"losses": losses("cosine", "wasserstein")},
            "+ wasserstein-global": {"losses": losses("cosine", "wasserstein-global")},
            "+ token-gram": {"losses": losses("cosine", "token-gram")},
            "+ matryoshka": {"losses": losses("cosine", "matryoshka")},
            "+ forward-kl, teacher: adapter tuned": {
                "losses": losses("cosine", "forward-kl"),
                "teacher": {"kind": "model", "path": "minilm", "tune": _TUNE},
            },
            "+ average: ema": {"losses": losses("cosine"), "loop": _EMA},
        },
    ),
    "embed-alone": Family(
        "three layers of MiniLM learn from pairs without a teacher, MRR@10",
        "mrr",
        _embed,
        {
            "cross-entropy": {"losses": losses("cross-entropy"), "teacher": _ALONE},
            "+ forward-kl, teacher: momentum": {
                "losses": losses("cross-entropy", "forward-kl"),
                "teacher": {"kind": "momentum", "decay": 0.9},
            },
            "+ average: ema": {
                "losses": losses("cross-entropy"),
                "teacher": _ALONE,
                "loop": _EMA,
            },
        },
    ),
}
