"""Causal language models in torch, of any architecture that transformers knows.

A folder of transformers, a folder with a PEFT adapter, or a GGUF file (whose weights are unpacked
when it is loaded). On processors that multiply bfloat16 numbers, and on GPUs, the weights are
bfloat16; elsewhere float32.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from langchain_core.messages import BaseMessage
from numpy.typing import NDArray
from torch import Tensor

from assistant.errors import ModelCorruptError, ModelMissingError, ModelRuntimeError
from assistant.models.gguf_protocol import as_openai
from indexes.encoders.cpu_layers import multiplies_bfloat16

_ADAPTER = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class Weights:
    """A loaded model and its tokenizer; `stops` are the tokens that end an answer."""

    model: Any
    tokenizer: Any
    stops: frozenset[int]

    @property
    def device(self) -> torch.device:
        return torch.device(self.model.device)


class TorchRuntime:
    """One set of weights, loaded at the first use. Safe to share between threads.

    Args:
        path: a transformers folder, a folder with an adapter, or a GGUF file.
        adapter: the folder of a PEFT adapter on top; its own base is not looked for then.
        device: "auto" takes a GPU where there is one.
        dtype: "auto", "bfloat16" or "float32".
    """

    def __init__(
        self, path: Path, adapter: Path | None = None, device: str = "auto", dtype: str = "auto"
    ) -> None:
        self._path, self._adapter = path, adapter
        self._device, self._dtype = device, dtype
        self._weights: Weights | None = None
        self._loading = threading.Lock()
        self.turn = threading.Lock()  # held by the thread that generates

    def load(self) -> Weights:
        """The loaded weights.

        Raises:
            ModelMissingError, ModelCorruptError: they are not there or not usable.
        """
        with self._loading:
            if self._weights is None:
                self._weights = self._load()
            return self._weights

    def close(self) -> None:
        """Free the weights' memory, after the answer under way. The next use loads them again."""
        with self.turn, self._loading:
            self._weights = None

    def _load(self) -> Weights:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        path, adapter = self._path, self._adapter
        if adapter is None and (path / _ADAPTER).is_file():
            path, adapter = _base_of(path), path
        for needed in filter(None, (path, adapter)):
            if not needed.exists():
                raise ModelMissingError(
                    f"{needed} does not exist", remedy="give a model folder or a .gguf file"
                )
        device = _device(self._device)
        dtype = _dtype(self._dtype, device)
        folder, options = (path, {}) if path.is_dir() else _unpacked(path)
        try:
            with _without_bars():
                tokenizer = AutoTokenizer.from_pretrained(str(folder), **_only_file(options))
                model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype, **options)
            if adapter is not None:
                from peft import PeftModel

                model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
        except Exception as error:  # transformers raises whatever its readers raise
            raise ModelCorruptError(
                f"{self._path} cannot be loaded: {str(error)[:300]}",
                remedy="assistant models verify, or give another folder",
            ) from error
        model = model.to(device).eval()
        ends = [model.generation_config.eos_token_id, tokenizer.eos_token_id]
        flat = itertools.chain.from_iterable(e if isinstance(e, list) else [e] for e in ends)
        return Weights(model, tokenizer, frozenset(int(end) for end in flat if end is not None))


class Session:
    """A batch of prompts that are being continued, with their key-value cache.

    What all prompts begin with is read once.

    Args:
        prompts: tokens of B prompts, none empty.
    """

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]]) -> None:
        from transformers import DynamicCache

        self._model = model
        accepted = inspect.signature(model.forward).parameters
        self._options: dict[str, Any] = {"use_cache": True}
        if "logits_to_keep" in accepted:
            self._options["logits_to_keep"] = 1
        self._cache: Any = DynamicCache(config=model.config)
        # Newer versions of transformers have renamed the argument.
        self._options["cache" if "cache" in accepted else "past_key_values"] = self._cache
        shared = _shared(prompts) if len(prompts) > 1 else 0
        self._mask = torch.ones((1, 0), dtype=torch.long, device=model.device)
        self._positions = torch.zeros((1,), dtype=torch.long, device=model.device)
        self.logits: Tensor
        if shared:
            self._read(torch.tensor([prompts[0][:shared]]), torch.ones((1, shared)))
        self._select([0] * len(prompts))
        rest = [prompt[shared:] for prompt in prompts]
        width = max(map(len, rest))
        # Padded on the left, so that all end at once; the mask takes the padding out.
        self._read(
            torch.tensor([[0] * (width - len(row)) + list(row) for row in rest]),
            torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rest]),
        )

    def advance(self, tokens: Sequence[int], of: Sequence[int]) -> None:
        """Go on with each token after the row beside it in `of`; a row may be named often, or not
        at all, which ends it."""
        self._select(of)
        self._read(torch.tensor(tokens)[:, None], torch.ones((len(tokens), 1)))

    def _select(self, rows: Sequence[int]) -> None:
        if list(rows) == list(range(len(self._mask))):
            return
        indices = torch.tensor(rows, device=self._mask.device)
        if self._mask.shape[1]:
            self._cache.batch_select_indices(indices)
        self._mask = self._mask.index_select(0, indices)
        self._positions = self._positions.index_select(0, indices)

    def logprobs(self) -> NDArray[np.float32]:
        """(B, V) log-probabilities of the next token."""
        values: NDArray[np.float32] = torch.log_softmax(self.logits.float(), -1).cpu().numpy()
        return values

    @torch.inference_mode()
    def _read(self, tokens: Tensor, mask: Tensor) -> None:
        device = self._mask.device
        tokens, mask = tokens.to(device), mask.to(device=device, dtype=torch.long)
        positions = self._positions[:, None] + (mask.cumsum(1) - 1).clamp(min=0)
        self._mask = torch.cat([self._mask, mask], dim=1)
        self._positions = self._positions + mask.sum(1)
        out = self._model(
            input_ids=tokens,
            attention_mask=self._mask,
            position_ids=positions,
            **self._options,
        )
        self.logits = out.logits[:, -1]


def prompt_tokens(tokenizer: Any, messages: Sequence[BaseMessage]) -> list[int]:
    """A conversation as the model's own tokens, up to where its answer begins.

    Raises:
        ModelRuntimeError: the model has no chat template, or not one for such a conversation.
    """
    given = [as_openai(message) for message in messages]
    try:
        text = tokenizer.apply_chat_template(given, add_generation_prompt=True, tokenize=False)
    except Exception as error:  # a template may raise anything
        raise ModelRuntimeError(
            f"the model's chat template does not take this conversation: {str(error)[:200]}",
            remedy="take a model that was tuned for conversations",
        ) from error
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]


def _shared(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with, each keeping at least one of its own."""
    columns = zip(*prompts, strict=False)
    same = itertools.takewhile(lambda column: len(set(column)) == 1, columns)
    return min(sum(1 for _ in same), min(map(len, prompts)) - 1)


def _base_of(adapter: Path) -> Path:
    try:
        config = json.loads((adapter / _ADAPTER).read_text(encoding="utf-8"))
        return Path(str(config["base_model_name_or_path"])).expanduser()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelCorruptError(
            f"{adapter / _ADAPTER} names no base model", remedy="give the base model and --adapter"
        ) from error


def _unpacked(file: Path) -> tuple[Path, dict[str, Any]]:
    """How transformers is told to read a GGUF file into ordinary tensors."""
    import transformers

    options: dict[str, Any] = {"gguf_file": file.name}
    if (config := getattr(transformers, "GgufConfig", None)) is not None:
        # Newer versions keep the weights packed unless they are told otherwise.
        options["quantization_config"] = config(dequantize=True)
    return file.parent, options


@contextlib.contextmanager
def _without_bars() -> Iterator[None]:
    """transformers shows progress by itself, between the lines of whoever called."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _only_file(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key == "gguf_file"}


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.device(wanted)
    except RuntimeError as error:
        raise ModelRuntimeError(
            f"torch knows no device '{wanted}'", remedy="auto, cpu or cuda"
        ) from error


def _dtype(wanted: str, device: torch.device) -> torch.dtype:
    known = {"bfloat16": torch.bfloat16, "float32": torch.float32}
    if wanted in known:
        return known[wanted]
    if wanted != "auto":
        raise ModelRuntimeError(
            f"no weights of type '{wanted}' are used here", remedy="auto, bfloat16 or float32"
        )
    fast = device.type != "cpu" or multiplies_bfloat16(device)
    return torch.bfloat16 if fast else torch.float32
