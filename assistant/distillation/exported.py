"""Reading what a run exported: changed weights over the model they were trained from.

```
export/
├── export.json        format, kind, base model and its SHA-256, task and its options, recipe's hash
├── local.json         where the base model was on the machine that trained; not to be passed on
├── model.safetensors  the tensors that differ from the base (kind "changed"), or all
│   or adapter_config.json with adapter_model.safetensors, adapter.gguf or both (kind "adapter")
├── config.json, tokenizer files
└── README.md          the model card
```
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from assistant.distillation.merging import merge_adapter
from assistant.errors import ModelCorruptError, ModelMissingError
from indexes.files import sha256_of

DESCRIPTION = "export.json"
LOCAL = "local.json"
WEIGHTS = "model.safetensors"
ADAPTER = "adapter_model.safetensors"
ADAPTER_SETTINGS = "adapter_config.json"
FORMAT = 1


def read_description(folder: Path) -> dict[str, Any]:
    """The content of export.json.

    Raises:
        ModelMissingError: the folder is not an export.
        ModelCorruptError: the description is damaged or of another format.
    """
    try:
        data = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelMissingError(
            f"{folder} is no exported model: it has no {DESCRIPTION}",
            remedy="give the folder 'export' of a run",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelCorruptError(
            f"{folder / DESCRIPTION} cannot be read: {error}", remedy="export the run again"
        ) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ModelCorruptError(
            f"{folder} is an export of another format", remedy="export the run again"
        )
    return data


def load_exported(folder: Path, *, base: Path | None = None) -> tuple[Any, Any, dict[str, Any]]:
    """The model in float32 and evaluation mode, its tokenizer, and its description.

    Args:
        base: where the base model is on this machine; without it, where it was in training.

    Raises:
        ModelMissingError: export or base are not there.
        ModelCorruptError: the base is another model than it was trained from.
    """
    from transformers import AutoConfig, AutoTokenizer

    description = read_description(folder)
    if description["kind"] == "adapter":
        return (*_with_adapter(folder, description, base), description)
    config = AutoConfig.from_pretrained(folder)
    task = description["task"]["name"]
    model = without_pooler(model_class(task).from_config(config), task)
    fresh = dict(model.state_dict())
    state: dict[str, Any] = {}
    if description["kind"] == "changed":
        state.update(base_weights(_base_folder(folder, description, base), fresh, model))
    changed = _read(folder / WEIGHTS)
    # an export without a tokenizer has its base's
    own = (folder / "tokenizer.json").is_file()
    words = folder if own else _base_folder(folder, description, base)
    if description["tensors"] != sorted(changed):
        raise ModelCorruptError(f"{folder / WEIGHTS} is not whole", remedy="export the run again")
    state.update(changed)
    for one, other in tied(fresh):
        state.setdefault(other, state.get(one))
        if one in changed:
            state[other] = changed[one]
    try:
        model.load_state_dict({key: value.float() for key, value in state.items()})
    except (RuntimeError, AttributeError) as error:
        raise ModelCorruptError(
            f"{folder} does not make a whole model: {str(error)[:200]}",
            remedy="name the base model it was trained from, or export the run again",
        ) from error
    return model.float().eval(), AutoTokenizer.from_pretrained(words), description


def model_class(task: str) -> Any:
    """The auto class of transformers that a task's models are loaded with."""
    import transformers

    if task == "pair":
        from assistant.distillation.ranking.model import CrossEncoder

        return CrossEncoder
    return {
        "span": transformers.AutoModelForQuestionAnswering,
        "causal": transformers.AutoModelForCausalLM,
        "conversation": transformers.AutoModel,
        "embed": transformers.AutoModel,
        "tag": transformers.AutoModelForTokenClassification,
    }[task]


def without_pooler(model: Any, task: str) -> Any:
    """The model of a task, without the layer that vectors of conversations have no use for.

    They are means over tokens: an adapter would be put into it, and not every base has one.
    """
    if task == "conversation" and getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model


def tied(state: dict[str, Any]) -> list[tuple[str, str]]:
    """Pairs of names of one tensor: the first name that it has, and each further one."""
    first: dict[int, str] = {}
    pairs = []
    for name, tensor in state.items():
        known = first.setdefault(tensor.data_ptr(), name)
        if known != name and tensor.numel():
            pairs.append((known, name))
    return pairs


def _base_folder(export: Path, description: dict[str, Any], base: Path | None) -> Path:
    folder = base or _local_base(export)
    if folder is None or not folder.exists():
        raise ModelMissingError(
            f"the model that {export} builds on is not there: {folder or 'its place is not known'}",
            remedy=f"name the folder of {description['base']['name']}",
        )
    expected = description["base"].get("sha256")
    if expected and base_sha256(folder) != expected:
        raise ModelCorruptError(
            f"{folder} is not the model that the export builds on",
            remedy=f"name the folder of {description['base']['name']} as it was fetched",
        )
    return folder


def _local_base(export: Path) -> Path | None:
    try:
        return Path(json.loads((export / LOCAL).read_text(encoding="utf-8"))["base"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def base_sha256(folder: Path) -> str:
    """SHA-256 over the weight files of a folder, in the order of their names."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(sha256_of(file).encode())
    return digest.hexdigest()


def base_weights(folder: Path, wanted: dict[str, Any], model: Any) -> dict[str, Any]:
    """Tensors of the base model's folder under the names they have in `model`.

    Args:
        wanted: the model's own state, by name.

    Raises:
        ModelCorruptError: none of its tensors fits.
    """
    prefix = f"{model.base_model_prefix}."
    weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, tensor in _read(file).items():
            for candidate in (name, prefix + name):
                if candidate in wanted and wanted[candidate].shape == tensor.shape:
                    weights[candidate] = tensor
    if not weights:
        raise ModelCorruptError(
            f"{folder} holds no weights of this model", remedy="name the right base model"
        )
    return weights


def _read(file: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(file))
    except FileNotFoundError as error:
        raise ModelMissingError(f"{file} does not exist", remedy="export the run again") from error
    except (SafetensorError, OSError) as error:
        raise ModelCorruptError(
            f"{file} cannot be read: {error}", remedy="export the run again"
        ) from error


def _with_adapter(folder: Path, description: dict[str, Any], base: Path | None) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoTokenizer

    root = _base_folder(folder, description, base)
    task = description["task"]["name"]
    model = model_class(task).from_config(AutoConfig.from_pretrained(root))
    model = without_pooler(model, task)
    own = model.float().state_dict()
    state = base_weights(root, own, model)
    model.load_state_dict(state, strict=False)
    added = merge_adapter(model, folder / ADAPTER_SETTINGS, _read(folder / ADAPTER))
    same = {name: other for pair in tied(own) for name, other in (pair, pair[::-1])}
    if lost := [n for n in own if n not in state and n not in added and same.get(n) not in state]:
        raise ModelCorruptError(
            f"{folder} does not make a whole model: {lost[0]} is in neither base nor adapter",
            remedy="name the base model it was trained from, or export the run again",
        )
    words = folder if (folder / "tokenizer.json").is_file() else root
    return model.eval(), AutoTokenizer.from_pretrained(words)
