"""Learned sparse encoder: any `SparseEncoder` of sentence-transformers, or a plain SPLADE folder.

A masked language model with SPLADE's max pooling takes the fast way (`encoders/splade.py`), checked
against the library's own when it is loaded; every other architecture (static weights with a
router, sparse autoencoders, sum pooling) is encoded by the library.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from indexes.encoders.batching import batches
from indexes.encoders.dense import weights_fingerprint
from indexes.errors import ModelCorruptError, ModelMissingError
from indexes.files import sha256_of

# Tokens in one forward pass, padding included.
_CPU_TOKENS = 2048
_GPU_TOKENS = 16_384
_TOLERANCE = 1e-5
_PROBE = ["A short text.", "A text with more words in it, so that a batch has padding."]


class SpladeEncoder:
    """Texts to weights over the model's vocabulary.

    Args:
        source: a folder, or a hub id that is fetched if it is not there.
        max_length: tokens read of a text; a `SparseEncoder` folder brings its own.

    Raises:
        ModelMissingError, ModelCorruptError: there are no usable weights.
    """

    def __init__(
        self, source: Path | str, *, max_length: int = 256, device: str | None = None
    ) -> None:
        import torch

        folder = _local(source)
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._budget = _CPU_TOKENS if chosen == "cpu" else _GPU_TOKENS
        self._lock = threading.Lock()
        self._library: Any = None
        self._splade: Any = None
        saved_by_library = (folder / "modules.json").is_file()
        self.fingerprint = (
            _library_fingerprint(folder)
            if saved_by_library
            else weights_fingerprint(folder, "splade-max", max_length)
        )
        try:
            if saved_by_library:
                self._load_library(folder, chosen)
            else:
                self._load_plain(folder, chosen, max_length)
        except Exception as error:  # the libraries raise many kinds for broken files
            raise ModelCorruptError(
                f"the sparse encoder in {folder} cannot be loaded: {error}",
                remedy="run `assistant models verify`, then `assistant models fetch sparse`",
            ) from error

    def term(self, column: int) -> str:
        """The vocabulary entry of a column; its number where columns are no words."""
        if len(self._tokenizer) < self.dimensions - 1024:  # vocabularies are padded somewhat
            return str(column)
        return str(self._tokenizer.convert_ids_to_tokens(int(column)))

    def encode(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Passages to a matrix of shape (len(texts), dimensions), float32, weights > 0."""
        return self._encode(texts, "encode_document")

    def encode_queries(self, texts: Sequence[str]) -> sp.csr_matrix:
        """As `encode`, for queries: some models weight them without running a transformer."""
        return self._encode(texts, "encode_query")

    # -- loading ------------------------------------------------------------------------------

    def _load_plain(self, folder: Path, device: str, max_length: int) -> None:
        from transformers import AutoModelForMaskedLM, AutoTokenizer

        from indexes.encoders.splade import SpladeModel

        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model = AutoModelForMaskedLM.from_pretrained(str(folder), local_files_only=True)
        self._splade = SpladeModel(model.to(device).eval(), self._padding)
        self._max_length = max_length
        self.dimensions = self._splade.dimensions

    def _load_library(self, folder: Path, device: str) -> None:
        from sentence_transformers import SparseEncoder

        self._library = SparseEncoder(str(folder), device=device, local_files_only=True)
        self._tokenizer = self._library.tokenizer
        self._max_length = int(self._library.max_seq_length or 512)
        expected = self._by_library(_PROBE, "encode_document")
        self.dimensions = int(expected.shape[1])
        if not _is_splade(self._library):
            return
        from indexes.encoders.splade import SpladeModel

        try:
            self._splade = SpladeModel(self._library[0].model, self._padding)
            found = self._by_splade(_PROBE)
            equal = found.shape == expected.shape and abs(found - expected).max() < _TOLERANCE
        except Exception:  # noqa: BLE001 - whatever it was, the library's way remains
            equal = False
        if not equal:  # the decoder was taken out, so load it again
            self._splade = None
            self._library = SparseEncoder(str(folder), device=device, local_files_only=True)

    @property
    def _padding(self) -> int:
        return int(self._tokenizer.pad_token_id or 0)

    # -- encoding -----------------------------------------------------------------------------

    def _encode(self, texts: Sequence[str], method: str) -> sp.csr_matrix:
        if not texts:
            return sp.csr_matrix((0, self.dimensions), dtype=np.float32)
        return self._by_splade(texts) if self._splade else self._by_library(texts, method)

    def _by_splade(self, texts: Sequence[str]) -> sp.csr_matrix:
        # The library strips too.
        stripped = [text.strip() for text in texts] if self._library else list(texts)
        with self._lock:  # a fast tokenizer cannot be used by two threads at once
            ids: list[list[int]] = self._tokenizer(
                stripped, truncation=True, max_length=self._max_length
            )["input_ids"]
        order: list[int] = []
        parts: list[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]] = []
        for batch in batches([len(one) for one in ids], self._budget):
            rows, columns, weights = self._splade.weights([ids[position] for position in batch])
            parts.append((rows + len(order), columns, weights))
            order.extend(batch)
        rows, columns, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        counts = np.bincount(rows, minlength=len(order))
        starts = np.concatenate([[0], np.cumsum(counts)])
        matrix = sp.csr_matrix(
            (weights.astype(np.float32), columns.astype(np.int32), starts.astype(np.int32)),
            shape=(len(order), self.dimensions),
        )
        return matrix[np.argsort(order)]

    def _by_library(self, texts: Sequence[str], method: str) -> sp.csr_matrix:
        with self._lock:
            encoded = getattr(self._library, method)(
                list(texts), show_progress_bar=False, save_to_cpu=True
            ).coalesce()
        rows, columns = encoded.indices().numpy()
        matrix = sp.csr_matrix(
            (encoded.values().float().numpy(), (rows, columns)), shape=tuple(encoded.shape)
        )
        matrix.eliminate_zeros()
        matrix.sort_indices()
        return matrix


def _is_splade(model: Any) -> bool:
    """Whether a `SparseEncoder` is a masked language model with SPLADE's max pooling, no more."""
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sparse_encoder.modules import SpladePooling

    modules = list(model)
    return (
        len(modules) == 2
        and isinstance(modules[0], Transformer)
        and isinstance(modules[1], SpladePooling)
        and (modules[1].pooling_strategy, modules[1].activation_function) == ("max", "relu")
        and model.max_active_dims is None
        and not any(model.prompts.values())
    )


def _local(source: Path | str) -> Path:
    folder = Path(source)
    if folder.is_dir() or isinstance(source, Path) or source.count("/") != 1:
        return folder
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source))
    except Exception as error:  # no network, no such model, no rights: many kinds
        raise ModelMissingError(
            f"the sparse encoder '{source}' is neither a folder nor can it be fetched: {error}",
            remedy="name a folder, or connect to the internet and try again",
        ) from error


def _library_fingerprint(folder: Path) -> str:
    """Of all modules' weights and settings: they lie in folders of their own."""
    weights = sorted([*folder.rglob("*.safetensors"), *folder.rglob("pytorch_model*.bin")])
    if not weights:
        return weights_fingerprint(folder)  # says what is missing
    files = [*weights, *sorted(folder.rglob("*.json"))]
    details = [f"{path.relative_to(folder).as_posix()} {sha256_of(path)}" for path in files]
    return weights_fingerprint(weights[0].parent, "sparse-encoder", *details)
