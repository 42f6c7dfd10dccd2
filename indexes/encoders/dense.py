"""Dense encoder: a sentence-transformers model from a local folder.

`SentenceTransformer.encode` sorts by characters and takes a fixed number of texts per batch. Here
all texts are tokenised once and sorted by tokens, and a batch is as many texts as keep the
activations in the processor's cache; the model itself is called as the library calls it, its
linear layers fused on a CPU (`indexes.encoders.cpu_layers`). The vectors are the library's to 1e-5.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from indexes.encoders import FloatArray
from indexes.encoders.batching import batches
from indexes.errors import ModelCorruptError, ModelMissingError, ModelRuntimeError, UnknownNameError
from indexes.files import sha256_of

# Backends of sentence-transformers, and the modules that its extra for each brings.
BACKENDS: Mapping[str, tuple[str, ...]] = {
    "torch": (),
    "onnx": ("optimum", "onnxruntime"),
    "openvino": ("optimum", "openvino"),
}

# Tokens in one forward pass, padding included: bounds the memory on a CPU, keeps a GPU busy.
_CPU_TOKENS = 4096
_GPU_TOKENS = 16_384
# How far the fast way may be from the library's before it is not used.
_TOLERANCE = 1e-5
_PROBE = ("A short text.", "A text with more words in it, so that a batch of both has padding.")


def weights_fingerprint(folder: Path, *details: object) -> str:
    """Identifies weights and settings: 16 hexadecimal digits.

    Raises:
        ModelMissingError: there are no weights in the folder.
    """
    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])
    if not weights:
        raise ModelMissingError(
            f"no model weights in {folder}", remedy="run `assistant models fetch embedder sparse`"
        )
    parts = [sha256_of(path) for path in weights] + [str(detail) for detail in details]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def embedder_fingerprint(folder: Path, *, int8: bool = False) -> str:
    """The fingerprint of the encoder that is made of a folder. Raises as `weights_fingerprint`."""
    details = ("sentence-transformers", "normalised", *(["int8"] if int8 else []))
    return weights_fingerprint(folder, *details)


class SentenceTransformerEncoder:
    """Texts to unit vectors, on a GPU where there is one.

    Args:
        folder: a sentence-transformers model folder.
        batch_size: texts per forward pass where only the library's own way fits the model.
        backend: "torch", or "onnx" / "openvino" of sentence-transformers' extras.
        int8: quantise the linear layers (torch, CPU). Vectors and fingerprint then differ.

    Raises:
        ModelMissingError, ModelCorruptError: the folder has no usable weights.
        ModelRuntimeError: the backend's extra is not installed.
        UnknownNameError: there is no such backend.
    """

    def __init__(
        self,
        folder: Path,
        *,
        batch_size: int = 32,
        device: str | None = None,
        backend: str = "torch",
        int8: bool = False,
    ) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        if backend not in BACKENDS:
            raise UnknownNameError("backend", backend, BACKENDS)
        if missing := [name for name in BACKENDS[backend] if find_spec(name) is None]:
            raise ModelRuntimeError(
                f"the backend '{backend}' is not installed: there is no {' and no '.join(missing)}",
                remedy=f"run `pip install 'sentence-transformers[{backend}]'`",
            )
        # The same vectors to 1e-5 by every float32 backend: one fingerprint.
        self.fingerprint = embedder_fingerprint(folder, int8=int8)
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self._model: Any = SentenceTransformer(
                str(folder), device=chosen, local_files_only=True, backend=backend
            )
        except Exception as error:  # the library raises many kinds for broken files
            raise ModelCorruptError(
                f"the embedder in {folder} cannot be loaded: {error}",
                remedy="run `assistant models verify`, then `assistant models fetch embedder`",
            ) from error
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self._batch_size = batch_size
        self._lock = threading.Lock()
        self._budget = _CPU_TOKENS if chosen == "cpu" else _GPU_TOKENS
        self._fast = self._prepare(fused=backend == "torch" and chosen == "cpu", int8=int8)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of shape (len(texts), dimensions), float32, each of length 1."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        if not self._fast:
            return self._by_library(texts)
        return self._by_tokens(texts)

    def _prepare(self, *, fused: bool, int8: bool) -> bool:
        """Make the model fast; whether the own batches give the library's vectors."""
        expected = self._by_library(_PROBE)
        if int8:
            import torch

            # A scale for each output channel: one for a whole matrix leaves a cosine of .88 to the
            # float32 vector at worst, on abstracts, this one .97.
            quantization: Any = torch.ao.quantization  # untyped in torch
            quantization.quantize_dynamic(
                self._model,
                {torch.nn.Linear: quantization.per_channel_dynamic_qconfig},
                dtype=torch.qint8,
                inplace=True,
            )
            expected = self._by_library(_PROBE)
        elif fused:
            from indexes.encoders.cpu_layers import fuse

            fuse(self._model)
        if self._model.default_prompt_name is not None:
            return False  # a prompt before every text is the library's affair
        try:
            found = self._by_tokens(_PROBE)
        except Exception:  # noqa: BLE001 - any model that is not tokens in, vector out
            return False
        # Dynamic quantisation scales by batch, so its vectors depend on their neighbours.
        return bool(np.abs(found - expected).max() < (0.1 if int8 else _TOLERANCE))

    def _by_library(self, texts: Sequence[str]) -> FloatArray:
        with self._lock:  # a fast tokenizer cannot be used by two threads at once
            vectors = self._model.encode(
                list(texts),
                batch_size=self._batch_size,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    def _by_tokens(self, texts: Sequence[str]) -> FloatArray:
        import torch

        with self._lock:
            tokens: dict[str, list[list[int]]] = self._model.tokenizer(
                [text.strip() for text in texts],
                truncation=True,
                max_length=self._model.max_seq_length,
                return_attention_mask=False,
            )
        lengths = [len(ids) for ids in tokens["input_ids"]]
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        with torch.inference_mode():
            for batch in batches(lengths, self._budget):
                features = self._padded(tokens, batch, lengths[batch[0]])
                found = self._model(features)["sentence_embedding"]  # (B, D)
                unit = torch.nn.functional.normalize(found, p=2, dim=1)
                vectors[batch] = unit.float().cpu().numpy()
        return vectors

    def _padded(
        self, tokens: dict[str, list[list[int]]], batch: list[int], longest: int
    ) -> dict[str, Any]:
        """Tensors of shape (B, T) for one batch; `longest` is T."""
        import torch

        device = self._model.device
        fill = {"input_ids": int(self._model.tokenizer.pad_token_id or 0)}
        features: dict[str, Any] = {}
        mask = np.zeros((len(batch), longest), dtype=np.int64)
        for name, values in tokens.items():
            padded = np.full((len(batch), longest), fill.get(name, 0), dtype=np.int64)
            for i, position in enumerate(batch):
                padded[i, : len(values[position])] = values[position]
                mask[i, : len(values[position])] = 1
            features[name] = torch.from_numpy(padded).to(device)
        features["attention_mask"] = torch.from_numpy(mask).to(device)
        return features

    @contextmanager
    def model(self) -> Iterator[Any]:
        """The `SentenceTransformer` itself, for the caller alone while it is used."""
        with self._lock:
            yield self._model
