"""A dense encoder that learnt another one's vectors: it encodes passages, the other one queries."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from indexes.encoders import DenseEncoder
from indexes.encoders.dense import SentenceTransformerEncoder


class StudentEncoder(SentenceTransformerEncoder):
    """Passages by the student, queries by its teacher (`queries`), into one space.

    Passages are many and are what a student saves time on; a query is one short text, for which the
    teacher's exact vector costs milliseconds and wins back a part of what the student loses
    (docs/retrieval-models.md, "The embedder").

    Args:
        folder, backend, int8: as of the base class.
        teacher: loads what the student learnt from, when the first query comes.
    """

    def __init__(
        self,
        folder: Path,
        teacher: Callable[[], DenseEncoder],
        *,
        backend: str = "torch",
        int8: bool = False,
        device: str | None = None,
    ) -> None:
        super().__init__(folder, backend=backend, int8=int8, device=device)
        self._load_teacher = teacher
        self._teacher: DenseEncoder | None = None
        self._loading = threading.Lock()

    @property
    def queries(self) -> DenseEncoder:
        """The teacher.

        Raises:
            ModelMissingError, ModelCorruptError: it cannot be loaded.
        """
        with self._loading:
            if self._teacher is None:
                self._teacher = self._load_teacher()
            return self._teacher
