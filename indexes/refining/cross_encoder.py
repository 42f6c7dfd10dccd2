"""A cross-encoder from a local folder: query and passage read together by one model.

None is part of the installation. Any sentence-transformers `CrossEncoder` with one output serves.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.documents import Passage
from indexes.encoders import FloatArray
from indexes.encoders.dense import weights_fingerprint
from indexes.errors import ModelCorruptError, ModelMissingError

_REMEDY = "set the folder of a sentence-transformers CrossEncoder, or switch reranking off"


class CrossEncoderReranker:
    """A `Reranker` over `CrossEncoder.predict`; the weights are loaded at the first query.

    Args:
        folder: of a sentence-transformers cross-encoder.
        batch_size: pairs per forward pass; pairs are sorted by length within a call.
        max_length: tokens of a pair that are read; None takes the model's own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        batch_size: int = 32,
        max_length: int | None = None,
        device: str | None = None,
    ) -> None:
        self.folder = folder
        self._batch_size, self._max_length, self._device = batch_size, max_length, device
        self._model: Any = None
        self._fingerprint = ""
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Identifies weights and settings.

        Raises:
            ModelMissingError: there are no weights in the folder.
        """
        if not self._fingerprint:
            try:
                self._fingerprint = weights_fingerprint(
                    self.folder, "cross-encoder", self._max_length
                )
            except ModelMissingError as error:
                raise ModelMissingError(error.message, remedy=_REMEDY) from error
        return self._fingerprint

    def scores(self, query: str, passages: Sequence[Passage]) -> FloatArray:
        """The model's output for each pair, with its own activation.

        Raises:
            ModelMissingError: there are no weights in the folder.
            ModelCorruptError: they cannot be loaded, or give more than one number for a pair.
        """
        if not passages:
            return np.zeros(0, dtype=np.float32)
        pairs = [(query, passage.indexed_text) for passage in passages]
        with self._lock:  # a fast tokenizer cannot be used by two threads at once
            model = self._loaded()
            found = model.predict(
                pairs, batch_size=self._batch_size, convert_to_numpy=True, show_progress_bar=False
            )
        return np.asarray(found, dtype=np.float32)

    def _loaded(self) -> Any:
        if self._model is not None:
            return self._model
        import torch
        from sentence_transformers import CrossEncoder

        _ = self.fingerprint  # before the library: its message for a missing folder misleads
        chosen = self._device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            model = CrossEncoder(
                str(self.folder),
                device=chosen,
                max_length=self._max_length,
                local_files_only=True,
            )
        except Exception as error:  # the library raises many kinds for broken files
            raise ModelCorruptError(
                f"the cross-encoder in {self.folder} cannot be loaded: {error}", remedy=_REMEDY
            ) from error
        if model.num_labels != 1:
            raise ModelCorruptError(
                f"the model in {self.folder} gives {model.num_labels} numbers for a pair, not one",
                remedy=_REMEDY,
            )
        self._model = model
        return model
