"""An adapter's weights added to the model that it was trained over.

LoRA (Hu et al., 2021, arXiv 2106.09685): W ← W + (α / r) · B A for each adapted matrix, A (r, in)
and B (out, r). Merged, the model costs what it cost before, and asking it needs no adapter library.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from assistant.errors import ModelCorruptError

_PREFIX = "base_model.model."


def merge_adapter(model: Any, settings: Path, tensors: dict[str, Any]) -> set[str]:
    """Add an adapter to a model's own weights, in place.

    Args:
        model: the plain model, with freshly made heads where its task has some.
        settings: the adapter's JSON file; its `r` and `lora_alpha` are used.
        tensors: matrices by name, and modules that were trained as a whole (heads).

    Returns:
        The names of the tensors that it gave as a whole, whatever the base has there.

    Raises:
        ModelCorruptError: the adapter is not whole, or belongs to another model.
    """
    remedy = "export the run again"
    try:
        read = json.loads(settings.read_text(encoding="utf-8"))
        scale = float(read["lora_alpha"]) / int(read["r"])
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise ModelCorruptError(f"{settings} cannot be read: {error}", remedy=remedy) from error
    if read.get("use_rslora") or read.get("use_dora") or read.get("fan_in_fan_out"):
        raise ModelCorruptError(
            f"{settings.parent} is no plain LoRA adapter", remedy="train one without variants"
        )
    own = model.state_dict()  # shares its memory with the model
    left = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
    if not left:
        raise ModelCorruptError(f"{settings.parent} holds no weights", remedy=remedy)
    whole: set[str] = set()
    while left:
        name = next(iter(left))
        module = name.removesuffix(".lora_A.weight").removesuffix(".lora_B.weight")
        if module == name:
            added, target = left.pop(name).float(), name
        else:
            down = left.pop(f"{module}.lora_A.weight", None)
            up = left.pop(f"{module}.lora_B.weight", None)
            if down is None or up is None:
                raise ModelCorruptError(f"half of {module} is missing", remedy=remedy)
            added, target = scale * (up.float() @ down.float()), f"{module}.weight"
        if target not in own or own[target].shape != added.shape:
            raise ModelCorruptError(
                f"{settings.parent} does not fit the model: it has no {target} of that shape",
                remedy="name the base model it was trained from, or export the run again",
            )
        if module == name:
            own[target].copy_(added)
            whole.add(target)
        else:
            own[target].add_(added)
    return whole
