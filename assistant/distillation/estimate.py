"""What a run will cost, before it starts: `--dry-run`."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant.distillation.batch_plan import Plan, plan_batches
from assistant.distillation.disagreement import chosen_count
from assistant.distillation.loop import pick_device
from assistant.distillation.modes import autocast
from assistant.distillation.objective import recipe_terms
from assistant.distillation.recipe import Recipe
from assistant.distillation.run import Prepared, prepare
from assistant.distillation.run_folder import run_name
from assistant.distillation.tasks.base import on_device, weighted_mean
from assistant.distillation.teachers import Teacher, load_teacher, taught
from assistant.distillation.training_arguments import uses_bf16

_LAYER = re.compile(r"\.(?:layer|layers|h)\.(\d+)\.")
_TIMED = 3  # steps that are timed; one before them warms up


def estimate(recipe: Recipe, root: Path) -> dict[str, Any]:
    """Parameters, memory, tokens, steps and time of a run, from a few real steps.

    Nothing is written but converted weights. Without a teacher of its own a recipe with several
    generations is timed as the first.

    Raises:
        As a run would, where recipe, data or weights do not fit.
    """
    prepared = prepare(recipe, root / "converted")
    device = pick_device()
    torch.manual_seed(recipe.loop.seed)
    model = prepared.task.new_student().to(device)
    teacher = load_teacher(recipe, prepared.task, device, model)
    units = prepared.task.units
    among = None
    if recipe.curriculum.order == "disagreement":  # as many as it will choose, from everywhere
        count = chosen_count(recipe.curriculum.share, len(units.lengths))
        among = np.linspace(0, len(units.lengths) - 1, count).round().astype(np.int64)
    plan = plan_batches(
        units.lengths, units.difficulty, recipe.loop, recipe.curriculum, among=among
    )
    tokens = int(sum(int(units.lengths[batch].sum()) for batch in plan))
    seconds, choices = _timed(prepared, model, teacher, plan, device)
    total = sum(p.numel() for p in model.parameters())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    generations = recipe.loop.generations
    copies = 2 if recipe.loop.average.kind != "none" else 1
    memory = {
        "weights": 4 * total,
        "gradients": 4 * trained,
        "optimiser": 8 * trained,
        "average": 4 * trained * (copies - 1),
        "teacher": _teacher_bytes(teacher),
        "rows": 12 * choices,  # logits, their log-probabilities and the gradient, float32
        "activations": _activation_bytes(model, prepared, plan, recipe),
    }
    half = 4 if recipe.export.dtype == "float32" else 2
    checkpoint = 4 * total * (1 if recipe.student.adapter is None else 0) + 12 * trained
    return {
        "recipe": recipe.name,
        "recipe_hash": recipe.hash,
        "device": str(device),
        "precision": "bf16" if uses_bf16(recipe.loop) else "fp32",
        "examples": prepared.data.counts["examples"],
        "held_out": prepared.held_out.counts["examples"],
        "parameters": total,
        "parameters_trained": trained,
        "steps": len(plan) // recipe.loop.accumulate * generations,
        "tokens": tokens * generations,
        "memory_bytes": sum(memory.values()),
        "memory_parts": memory,
        "seconds": round(
            min(seconds * tokens, recipe.loop.max_seconds or math.inf) * generations, 1
        ),
        "tokens_per_second": round(1 / seconds, 1),
        "writes_below": str(root / run_name(recipe)),
        "writes_bytes": 2 * checkpoint * generations + half * trained,
    }


def _timed(
    prepared: Prepared, model: Any, teacher: Teacher | None, plan: Plan, device: torch.device
) -> tuple[float, int]:
    """Seconds a token of whole steps over a few batches of the plan, and their most logits."""
    recipe, task = prepared.recipe, prepared.task
    objective = recipe_terms(recipe, teacher)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-9)
    chosen = [plan[len(plan) * place // (_TIMED + 1)] for place in range(_TIMED + 1)]
    tokens, spent, most = 0, 0.0, 0
    model.train()
    for number, units in enumerate(chosen):
        begun = time.perf_counter()
        batch = task.collate(units)
        moved = on_device(batch, device)
        with autocast(model, recipe.loop.precision):
            rows = task.rows(model, moved)
            if teacher is not None:
                rows = taught(teacher, moved, rows)
        most = max(most, rows.logits.numel())
        loss = sum(weighted_mean(term.loss(rows), rows.weights) for term in objective)
        assert isinstance(loss, torch.Tensor)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if number:  # the first one warms up
            spent += time.perf_counter() - begun
            tokens += int(batch["tokens"])
    return spent / max(1, tokens), most


def _teacher_bytes(teacher: Teacher | None) -> int:
    models = getattr(teacher, "models", [])
    return sum(4 * p.numel() for model in models for p in model.parameters())


def _activation_bytes(model: Any, prepared: Prepared, plan: Plan, recipe: Recipe) -> int:
    """A rough figure for the largest batch: what a transformer keeps for its backward pass.

    About 34 · hidden + 5 · heads · length bytes at half precision for each token and layer
    (Korthikanti et al., 2022, arXiv 2205.05198, equation 2), twice that in float32.
    """
    config = model.config
    lengths = prepared.task.units.lengths
    sizes = [(int(lengths[batch].max()), len(batch)) for batch in plan]
    length, count = max(sizes, key=lambda size: size[0] ** 2 * size[1])
    a_token = 34 * config.hidden_size + 5 * config.num_attention_heads * length
    wide = 1 if uses_bf16(recipe.loop) else 2
    return int(wide * a_token * length * count * _trained_layers(model))


def _trained_layers(model: Any) -> int:
    """How many layers keep something for the backward pass: below the lowest trained one none."""
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    found = [int(match.group(1)) for name in names if (match := _LAYER.search(name))]
    lowest = 0 if any("embed" in name for name in names) else min(found, default=0)
    return int(model.config.num_hidden_layers) - lowest
