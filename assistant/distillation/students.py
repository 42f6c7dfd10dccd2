"""Loading what a recipe names as its student or teacher."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from pathlib import Path
from typing import Any

from assistant.distillation.exported import (
    DESCRIPTION,
    load_exported,
    model_class,
    without_pooler,
)
from assistant.distillation.recipe import Recipe
from assistant.distillation.recipe_models import Adapter, Student
from assistant.errors import ModelCorruptError, ModelMissingError, UsageError


def model_folder(recipe: Recipe, name: str, cache: Path) -> Path:
    """Where the weights of a folder, a GGUF file or a catalogue name are, as a folder.

    A GGUF file is converted once, into `cache`.

    Raises:
        ModelMissingError: it is not there.
        UnknownNameError: it is neither a path nor a name of the catalogue.
    """
    path = recipe.path(name)
    if not path.exists():
        if "/" in name or name.endswith(".gguf"):
            raise ModelMissingError(
                f"{path} does not exist", remedy="name a folder, a GGUF file or a catalogue entry"
            )
        path = _of_catalogue(name)
    return converted(path, cache) if path.suffix == ".gguf" else path


def _of_catalogue(name: str) -> Path:
    # Late: a machine that only trains has no settings, and names its weights by path.
    from assistant.models.store import ModelStore
    from assistant.settings import load_settings

    return ModelStore(load_settings().home / "models").path(name)


def converted(file: Path, cache: Path) -> Path:
    """A GGUF file's weights and tokenizer as a folder of transformers, in float32.

    Raises:
        ModelCorruptError: it cannot be read.
    """
    stat = file.stat()
    key = hashlib.sha256(f"{file.absolute()}{stat.st_size}{stat.st_mtime_ns}".encode()).hexdigest()
    target = cache / f"{file.stem}-{key[:8]}"
    if (target / "config.json").is_file():
        return target
    from transformers import AutoModelForCausalLM, AutoTokenizer

    partial = target.with_name(target.name + ".partial")
    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        model = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype="float32", **_dequantised()
        )
    except ImportError as error:
        raise UsageError(
            f"GGUF files need a package: {error}", remedy="pip install gguf accelerate"
        ) from error
    except Exception as error:  # readers of GGUF raise whatever they meet
        raise ModelCorruptError(
            f"{file} cannot be read: {error}", remedy="fetch it again, or name another model"
        ) from error
    # The weights are plain float32 now, but their model still counts as quantised and refuses to be
    # saved: a fresh one of the same configuration takes them.
    config = model.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config, dtype="float32")
    plain.load_state_dict(model.state_dict())
    plain.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    partial.rename(target)
    return target


def _dequantised() -> dict[str, Any]:
    """What newer versions of transformers need to be told; older ones know no other way."""
    import transformers

    made = getattr(transformers, "GgufConfig", None)
    return {} if made is None else {"quantization_config": made(dequantize=True)}


def load_model(folder: Path, task: str, **changes: Any) -> Any:
    """A model of transformers for a task, float32, on the CPU.

    A base model gets the task's head, newly made from torch's random state.

    Args:
        changes: entries of its configuration; an exported model keeps its own.

    Raises:
        ModelCorruptError: transformers cannot read it.
    """
    from transformers import AutoConfig

    if (folder / DESCRIPTION).is_file():
        model, _, _ = load_exported(folder)
        return model
    try:
        config = AutoConfig.from_pretrained(folder)
        config.update(changes)
        model = model_class(task).from_pretrained(folder, config=config, dtype="float32")
        return without_pooler(model, task)
    except (OSError, ValueError, KeyError) as error:
        raise ModelCorruptError(
            f"{folder} cannot be loaded: {error}", remedy="name a folder of transformers' format"
        ) from error


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer beside the weights."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def shaped(model: Any, student: Student) -> Any:
    """Apply a recipe's layers, dropout, adapter and frozen weights.

    Raises:
        UsageError: a layer that does not exist, or a pattern that fits no weight.
    """
    if student.layers is not None:
        _keep_layers(model, student.layers)
    if student.dropout is not None:
        _set_dropout(model, student.dropout)
    if student.adapter is not None:
        model = adapted(model, student.adapter, where="student.adapter")
    for pattern in student.frozen:
        hit = False
        for name, parameter in model.named_parameters():
            if fnmatch.fnmatchcase(name, pattern):
                parameter.requires_grad_(False)
                hit = True
        if not hit:
            raise UsageError(
                f"student.frozen: '{pattern}' fits no weight",
                remedy=f"weights are named like {next(iter(dict(model.named_parameters())))}",
            )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UsageError("nothing of the student is trained", remedy="freeze less of it")
    return model


def adapted(model: Any, adapter: Adapter, *, where: str, heads: bool = True) -> Any:
    """The model with LoRA in it; nothing else of it is trained but the task's own head.

    Args:
        where: the adapter's place in the recipe, for the message.
        heads: whether the head is trained as well.

    Raises:
        UsageError: a target is no module of the model.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=list(adapter.targets),
        task_type="CAUSAL_LM" if hasattr(model, "generate") else None,
        modules_to_save=(_heads(model) or None) if heads else None,
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        raise UsageError(
            f"{where}: {error}", remedy="name the model's own modules in 'targets'"
        ) from error


def _heads(model: Any) -> list[str]:
    """Modules beside the encoder, newly made for the task: an adapter cannot do without them."""
    inner = model.base_model_prefix
    if hasattr(model, "generate") or not hasattr(model, inner):
        return []
    return [
        name
        for name, child in model.named_children()
        if name != inner and any(True for _ in child.parameters())
    ]


def _layer_list(model: Any) -> tuple[Any, str]:
    """The module that holds the layers, and the name it has there."""
    import torch

    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, torch.nn.ModuleList) and name in ("layer", "layers", "h"):
                return module, name
    raise UsageError("student.layers: this model's layers are not found", remedy="leave it out")


def _keep_layers(model: Any, kept: tuple[int, ...]) -> None:
    import torch

    owner, name = _layer_list(model)
    layers = getattr(owner, name)
    if not kept or max(kept) >= len(layers) or min(kept) < 0:
        raise UsageError(
            f"student.layers: the model has the layers 0 to {len(layers) - 1}",
            remedy="name some of these",
        )
    chosen = torch.nn.ModuleList([layers[number] for number in kept])
    for number, layer in enumerate(chosen):
        for module in layer.modules():
            if hasattr(module, "layer_idx"):
                setattr(module, "layer_idx", number)  # noqa: B010 - no attribute of every module
    setattr(owner, name, chosen)
    model.config.num_hidden_layers = len(kept)
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = [model.config.layer_types[number] for number in kept]


def _set_dropout(model: Any, share: float) -> None:
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share
        if isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = share


def tokenizer_hash(tokenizer: Any) -> str:
    """SHA-256 over the vocabulary and its special tokens: what makes ids mean the same."""
    content = json.dumps(
        [sorted(tokenizer.get_vocab().items(), key=lambda i: i[1]), tokenizer.all_special_tokens],
        ensure_ascii=False,
    )
    return hashlib.sha256(content.encode()).hexdigest()
