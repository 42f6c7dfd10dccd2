"""The two recipes of an adaptation (docs/distillation.md), and how long they may train.

Both leave the embeddings and the lower half of the layers as they are: what a text is about is
seen in the upper ones, less is forgotten, and a step costs a third less.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from assistant.distillation.recipe import Recipe
from assistant.distillation.recipe_file import read_recipe

NEGATIVES = 3
_PASSES = 4  # over the data at most: what a few hundred questions can teach is learnt by then
_LONGEST_PAIR = 224  # tokens: what the shipped reranker was trained with
# Tokens of a text that training of an embedder reads; what comes after them costs twice the time
# and changes the mean little.
_LONGEST_TEXT = 128
_CHECKPOINT_SECONDS = 30.0


def reranker_recipe(start: Path, data: Path, *, steps: int, every: int, seed: int) -> Recipe:
    """The shipped reranker, gone on with: listwise cross-entropy over mined candidates, and a
    fifth of the weight on the fused order with the passage that answers on top.

    Args:
        start: its weights as a whole folder (`weights.whole_reranker`).
        data: the folder of `ranking.jsonl` and `choose-ranking.jsonl`.
        every: steps between two checkpoints.
    """
    config = _config(start)
    return _read(
        {
            "name": "reranker",
            "task": {"name": "pair", "max_length": _LONGEST_PAIR, "exits": list(config.exits)},
            "student": {"model": str(start), "frozen": _lower_half(config)},
            "teacher": {"kind": "data"},
            "data": [
                {
                    "source": "ranking",
                    "path": str(data / "ranking.jsonl"),
                    "negatives": NEGATIVES,
                    "score_scale": 6,
                }
            ],
            "held_out": [
                {
                    "source": "ranking",
                    "path": str(data / "choose-ranking.jsonl"),
                    "together": True,
                }
            ],
            "losses": [{"name": "cross-entropy"}, {"name": "forward-kl", "weight": 0.2}],
            "loop": _loop(steps, every, seed, batch=4, rate=3e-5),
        }
    )


def embedder_recipe(
    start: Path, data: Path, *, steps: int, every: int, seed: int, max_length: int
) -> Recipe:
    """The index's own embedder, gone on with: contrast of questions and passages within a batch,
    and twice the weight on its old vectors of both, so that it does not forget.

    Args:
        start: the embedder, a folder of sentence-transformers.
        data: the folder of `pairs.jsonl` and `choose-pairs.jsonl`.
        max_length: tokens of a text that it reads.
    """
    return _read(
        {
            "name": "embedder",
            "task": {"name": "embed", "max_length": min(max_length, _LONGEST_TEXT)},
            "student": {
                "model": str(start),
                "frozen": _lower_half(_config(start)),
                "dropout": 0.0,
            },
            "teacher": {"kind": "model", "path": str(start)},
            "data": [_pairs(data / "pairs.jsonl")],
            "held_out": [_pairs(data / "choose-pairs.jsonl")],
            "losses": [{"name": "cross-entropy"}, {"name": "cosine", "weight": 2}],
            "loop": _loop(steps, every, seed, batch=16, rate=3e-5),
        }
    )


def steps_within(seconds: float, a_step: float, examples: int, batch: int) -> int:
    """How many steps fit into a time, at least one, and at most `_PASSES` passes over the data."""
    passes = max(1, -(-examples * _PASSES // batch))
    return max(1, min(passes, int(seconds / max(a_step, 1e-6))))


def checkpoint_every(a_step: float) -> int:
    """Steps between two checkpoints: what a kill may cost."""
    return max(1, round(_CHECKPOINT_SECONDS / max(a_step, 1e-6)))


def batch_of(recipe: Recipe) -> int:
    """Examples of a step."""
    assert recipe.loop.batch_size is not None
    return recipe.loop.batch_size


def _pairs(file: Path) -> dict[str, Any]:
    return {"source": "texts", "path": str(file), "sentences": 0, "title": False}


def _loop(steps: int, every: int, seed: int, *, batch: int, rate: float) -> dict[str, Any]:
    return {
        "steps": steps,
        "batch_size": batch,
        "learning_rate": rate,
        "warmup": 0.1,
        "seed": seed,
        "log_every": min(10, every),
        "checkpoint_every": every,
        "precision": "auto",
    }


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder)


def _lower_half(config: Any) -> list[str]:
    layers = int(config.num_hidden_layers)
    return ["*embeddings.*", *(f"*encoder.layer.{number}.*" for number in range(layers // 2))]


def _read(values: dict[str, Any]) -> Recipe:
    return read_recipe(yaml.safe_dump(values, sort_keys=False), Path("/"))
