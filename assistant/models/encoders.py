"""The encoders that the settings name, loaded when first needed and then kept.

Loading takes seconds and memory, so one `LoadedEncoders` is shared by everything in a process.
"""

from __future__ import annotations

import threading
from pathlib import Path

from assistant.models.importing import LOADING
from assistant.models.shipped import SMALL_EMBEDDER
from assistant.models.store import ModelStore
from assistant.settings import ModelSettings
from indexes.encoders import SparseEncoder
from indexes.encoders.dense import SentenceTransformerEncoder
from indexes.encoders.sparse import SpladeEncoder
from indexes.encoders.student import StudentEncoder


class LoadedEncoders:
    """`indexes.build.Encoders` over the model store. Safe to share between threads."""

    def __init__(self, store: ModelStore, settings: ModelSettings) -> None:
        self._store = store
        self._settings = settings
        self._lock = threading.Lock()
        self._dense: SentenceTransformerEncoder | None = None
        self._sparse: SparseEncoder | None = None

    def dense(self) -> SentenceTransformerEncoder:
        """The embedder.

        Raises:
            ModelMissingError, ModelCorruptError: with the command that mends it.
        """
        with self._lock, LOADING:
            if self._dense is None:
                self._in_threads()
                self._dense = self._load_dense()
            return self._dense

    def _load_dense(self) -> SentenceTransformerEncoder:
        settings = self._settings
        backend, int8 = settings.backend, settings.int8
        folder = self._store.path(settings.embedder)
        if settings.embedder != SMALL_EMBEDDER:
            return SentenceTransformerEncoder(folder, backend=backend, int8=int8)
        base = self._store.path("minilm")

        def teacher() -> SentenceTransformerEncoder:
            with LOADING:
                return SentenceTransformerEncoder(base, backend=backend, int8=int8)

        return StudentEncoder(folder, teacher, backend=backend, int8=int8)

    def sparse(self) -> SparseEncoder:
        """The learned sparse encoder; errors as `dense`."""
        with self._lock, LOADING:
            if self._sparse is None:
                folder = self._store.path(self._settings.sparse)
                self._in_threads()
                self._sparse = SpladeEncoder(folder)
            return self._sparse

    def base(self) -> Path:
        """The folder of MiniLM, which the shipped encoders build on.

        Raises:
            ModelMissingError, ModelCorruptError: with the command that mends it.
        """
        self._in_threads()
        return self._store.path("minilm")

    def _in_threads(self) -> None:
        if self._settings.threads:
            import torch

            torch.set_num_threads(self._settings.threads)
