"""Dense encoder: a sentence-transformers model from a local folder."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from indexes.encoders import FloatArray
from indexes.errors import ModelCorruptError, ModelMissingError
from indexes.files import sha256_of


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


class SentenceTransformerEncoder:
    """Texts to unit vectors with `SentenceTransformer.encode`, on a GPU where there is one.

    Args:
        folder: a sentence-transformers model folder.
        batch_size: texts per forward pass; they are sorted by length within a call.

    Raises:
        ModelMissingError, ModelCorruptError: the folder has no usable weights.
    """

    def __init__(self, folder: Path, *, batch_size: int = 32, device: str | None = None) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        self.fingerprint = weights_fingerprint(folder, "sentence-transformers", "normalised")
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self._model: Any = SentenceTransformer(
                str(folder), device=chosen, local_files_only=True
            )
        except Exception as error:  # the library raises many kinds for broken files
            raise ModelCorruptError(
                f"the embedder in {folder} cannot be loaded: {error}",
                remedy="run `assistant models verify`, then `assistant models fetch embedder`",
            ) from error
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self._batch_size = batch_size
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of shape (len(texts), dimensions), float32, each of length 1."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        with self._lock:  # a fast tokenizer cannot be used by two threads at once
            vectors = self._model.encode(
                list(texts),
                batch_size=self._batch_size,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    @contextmanager
    def model(self) -> Iterator[Any]:
        """The `SentenceTransformer` itself, for the caller alone while it is used."""
        with self._lock:
            yield self._model
