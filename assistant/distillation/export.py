"""Writing what was learnt: weights that differ from the base, or an adapter, with a model card."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch

from assistant.distillation.exported import (
    DESCRIPTION,
    FORMAT,
    LOCAL,
    WEIGHTS,
    base_sha256,
    base_weights,
    read_description,
    tied,
)
from assistant.distillation.recipe import Recipe
from indexes.files import storage_errors, write_atomically

GGUF_ADAPTER = "adapter.gguf"


def export_model(
    model: Any, tokenizer: Any, recipe: Recipe, base: Path, folder: Path, *, data_hash: str
) -> Path:
    """Write `folder`: an adapter, or the tensors that differ from the base's, in half precision.

    Raises:
        StorageError: no space, or no right to write.
    """
    from safetensors.torch import save_file

    dtype = getattr(torch, recipe.export.dtype)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        names: list[str] | None = None
        if recipe.student.adapter is not None:
            kind = "adapter"
            _save_adapter(model, folder, dtype, Path(recipe.student.model).name)
            if recipe.export.gguf:
                from assistant.distillation.gguf_adapter import write_gguf_adapter

                write_gguf_adapter(folder, model.get_base_model().config, folder / GGUF_ADAPTER)
        else:
            kind = "changed"
            state = changed_weights(model, base)
            names = sorted(state)
            save_file(
                {name: in_type(tensor, dtype) for name, tensor in state.items()}, folder / WEIGHTS
            )
            model.config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        description = {
            "format": FORMAT,
            "kind": kind,
            "task": {"name": recipe.task.name, **recipe.task.parameters},
            "base": {
                "name": Path(recipe.student.model).name,
                "sha256": base_sha256(base),
            },
            "tensors": names,
            "dtype": recipe.export.dtype,
            "recipe": recipe.name,
            "recipe_hash": recipe.hash,
            "data_hash": data_hash,
        }
        text = json.dumps(description, ensure_ascii=False, indent=1)
        local = json.dumps({"base": str(base.absolute())}, ensure_ascii=False)
        write_atomically(folder / LOCAL, local.encode())
        write_atomically(folder / DESCRIPTION, text.encode())
    return folder


def changed_weights(model: Any, base: Path) -> dict[str, torch.Tensor]:
    """The weights of a model that differ from those in the folder `base`, by name; a tied one once.

    Raises:
        ModelCorruptError: no tensor of the base fits.
    """
    state = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    for _, other in tied(state):
        del state[other]
    before = base_weights(base, state, model)
    return {
        name: tensor
        for name, tensor in state.items()
        if name not in before or not torch.equal(before[name].float(), tensor.float())
    }


def _save_adapter(model: Any, folder: Path, dtype: torch.dtype, base: str) -> None:
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    settings = copy.copy(model.peft_config["default"])
    settings.base_model_name_or_path = base
    settings.inference_mode = True
    settings.save_pretrained(folder)
    save_file(
        {k: in_type(v.detach().cpu(), dtype) for k, v in get_peft_model_state_dict(model).items()},
        folder / "adapter_model.safetensors",
        metadata={"format": "pt"},
    )


def in_type(tensor: Any, dtype: torch.dtype) -> Any:
    """A copy of a tensor to be saved, its floats as `dtype`."""
    return (tensor.to(dtype) if tensor.is_floating_point() else tensor).contiguous().clone()


def add_measures(folder: Path, measures: dict[str, float]) -> None:
    """Put what was measured on the held-out examples into the export's description."""
    description = {**read_description(folder), "measures": measures}
    with storage_errors(folder):
        text = json.dumps(description, ensure_ascii=False, indent=1)
        write_atomically(folder / DESCRIPTION, text.encode())


def write_card(
    folder: Path, recipe: Recipe, *, data: dict[str, Any], measures: dict[str, float]
) -> None:
    """A model card with what is known by itself; a person adds what the model fails at."""
    lines = [
        "---",
        f"license: {recipe.export.licence or 'to be named'}",
        f"base_model: {Path(recipe.student.model).name}",
        "---",
        f"# {recipe.name}",
        "",
        f"Distilled from {Path(recipe.student.model).name} for the task `{recipe.task.name}`.",
        "",
        f"- recipe: `{recipe.name}`, SHA-256 `{recipe.hash}`",
        f"- teacher: {_teacher_line(recipe)}",
        f"- losses: {', '.join(loss.name for loss in recipe.losses)}",
        f"- data: SHA-256 `{data['hash']}`",
        *(f"  - {name}: {count}" for name, count in data["counts"].items()),
        "",
        "## Measures on the held-out examples",
        "",
        *([f"- {name}: {value}" for name, value in measures.items()] or ["none: no held-out data"]),
        "",
        "## Failures",
        "",
        "To be written: where it fails, and what must not be done with it.",
        "",
    ]
    with storage_errors(folder):
        write_atomically(folder / "README.md", "\n".join(lines).encode())


def _teacher_line(recipe: Recipe) -> str:
    teacher = recipe.teacher
    names = ", ".join(Path(name).name for name in (teacher.paths or (teacher.path,)) if name)
    born_again = f", {recipe.loop.generations} generations" if recipe.loop.generations > 1 else ""
    tuned = f", with a tuned {teacher.tune.part}" if teacher.tune is not None else ""
    return f"{teacher.kind} {names}".strip() + born_again + tuned
