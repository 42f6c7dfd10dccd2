"""A LoRA adapter in llama.cpp's format: GGUF of type "adapter", beside the base model's GGUF.

A tensor `blk.0.attn_q.weight` of the base is changed by `blk.0.attn_q.weight.lora_a` (rank, in) and
`….lora_b` (out, rank), scaled by `adapter.lora.alpha` / rank.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ModelCorruptError, UsageError

# llama.cpp rotates pairs of neighbours, transformers pairs of halves: rows of q and k are
# reordered in GGUF files of this architecture, and so are those of their lora_b.
_REORDERED = {"llama"}
_KNOWN = {"llama": "LLAMA", "qwen2": "QWEN2", "qwen3": "QWEN3"}


def write_gguf_adapter(folder: Path, config: Any, target: Path) -> Path:
    """Write an adapter folder of peft as GGUF; half precision stays half precision.

    Args:
        folder: with adapter_model.safetensors and adapter_config.json.
        config: the base model's configuration of transformers.

    Raises:
        UsageError: the gguf package is missing, or the architecture is not known here.
        ModelCorruptError: a tensor of the adapter belongs to no tensor of the architecture.
    """
    try:
        import gguf
    except ImportError as error:
        raise UsageError(
            "GGUF adapters need the package gguf", remedy="pip install gguf, or set export.gguf off"
        ) from error
    from safetensors.numpy import load_file

    kind = str(config.model_type)
    if kind not in _KNOWN:
        raise UsageError(
            f"a GGUF adapter for '{kind}' models is not known here",
            remedy=f"set export.gguf off; known: {', '.join(sorted(_KNOWN))}",
        )
    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    names = gguf.get_tensor_name_map(
        getattr(gguf.MODEL_ARCH, _KNOWN[kind]), config.num_hidden_layers
    )
    writer = gguf.GGUFWriter(target, kind)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(settings["lora_alpha"]))
    for name, tensor in sorted(load_file(folder / "adapter_model.safetensors").items()):
        module, _, part = name.removeprefix("base_model.model.").rpartition(".lora_")
        known = names.get_name(module)
        if known is None:
            raise ModelCorruptError(
                f"{folder}: the adapter's '{name}' belongs to no tensor of {kind}",
                remedy="adapt linear layers only",
            )
        half = part[0].lower()  # "A.weight" or "B.weight"
        if half == "b" and kind in _REORDERED:
            tensor = _reordered(tensor, known, config)
        kept = tensor.dtype if tensor.dtype == np.float16 else np.dtype(np.float32)
        writer.add_tensor(f"{known}.weight.lora_{half}", np.ascontiguousarray(tensor, kept))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _reordered(tensor: NDArray[Any], name: str, config: Any) -> NDArray[Any]:
    if name.endswith("attn_q"):
        return rope_rows(tensor, config.num_attention_heads)
    if name.endswith("attn_k"):
        return rope_rows(tensor, config.num_key_value_heads)
    return tensor


def rope_rows(tensor: NDArray[Any], heads: int) -> NDArray[Any]:
    """Rows (out, …) from halves (x₀ x₁ … y₀ y₁ …) to pairs (x₀ y₀ x₁ y₁ …), head by head."""
    rest = tensor.shape[1:]
    halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *rest)
    return halves.swapaxes(1, 2).reshape(tensor.shape)
