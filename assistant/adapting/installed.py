"""What is adapted to an index: which weights are in force, and what was in force before.

```
HOME/indexes/NAME/adapted/
├── installed.json               what is in force; not there: nothing is
├── undo/0001.json …             what installed.json was before each change; empty: it was not there
├── encodings.sqlite             vectors that undoing needs again, by text and encoder
├── embedder-FINGERPRINT/        a folder of sentence-transformers
└── reranker-DIGITS/             an exported cross-encoder
```
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.errors import StorageError, UsageError
from indexes.files import storage_errors, write_atomically

FOLDER, RECORD, UNDO = "adapted", "installed.json", "undo"
KEPT_VECTORS = "encodings.sqlite"
WEIGHTS = "model.safetensors"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class AdaptedPart:
    """Weights that are in force for one index.

    Attributes:
        folder: below `adapted/`.
        fingerprint: of an embedder, as its index's manifest has it; of a reranker the SHA-256 of
            its weights.
        weight, depth: of a reranker: its share in the blend, and how many passages it reads.
        installed: ISO 8601, UTC.
        report: what was measured before and after, as `assistant distill adapt --json` has it.
    """

    folder: str
    fingerprint: str
    installed: str
    weight: float = 0.0
    depth: int = 0
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Installed:
    """What is in force for an index; None: the weights of the settings."""

    embedder: AdaptedPart | None = None
    reranker: AdaptedPart | None = None


class InstalledStore:
    """The record of one index.

    Args:
        index_folder: `…/indexes/NAME`.
    """

    def __init__(self, index_folder: Path) -> None:
        self.name = index_folder.name
        self.folder = index_folder / FOLDER
        self._record, self._undo = self.folder / RECORD, self.folder / UNDO

    def read(self) -> Installed:
        """What is in force.

        Raises:
            StorageError: the record cannot be understood.
        """
        return self._parsed(self._bytes(self._record))

    @property
    def steps(self) -> int:
        """How many changes can be undone."""
        return len(self._former())

    def install(self, now: Installed, *, step: bool = True) -> None:
        """Put another record in force, remembering the one that was.

        Args:
            step: whether undoing comes back to here; what belongs to one change is one step.

        Raises:
            StorageError: it cannot be written; nothing has changed then.
        """
        former = self._former()
        number = int(former[-1].stem) + 1 if former else 1
        values = {"format": _FORMAT, **dataclasses.asdict(now)}
        with storage_errors(self.folder):
            self._undo.mkdir(parents=True, exist_ok=True)
            if step:
                write_atomically(self._undo / f"{number:04d}.json", self._bytes(self._record))
            data = json.dumps(values, ensure_ascii=False, indent=1).encode()
            write_atomically(self._record, data)

    def undo(self) -> Installed:
        """Put the record in force that was before, to the byte; returns it.

        Raises:
            UsageError: nothing was installed.
        """
        former = self._former()
        if not former:
            raise UsageError(
                f"nothing is adapted to index '{self.name}', so there is nothing to undo",
                remedy=f"assistant distill adapt {self.name}",
            )
        with storage_errors(self.folder):
            data = former[-1].read_bytes()
            if data:
                write_atomically(self._record, data)
            else:
                self._record.unlink(missing_ok=True)
            former[-1].unlink()
        return self._parsed(data)

    def named(self) -> set[str]:
        """Folders of weights that the record or one that can be put back names."""
        records = [self._parsed(self._bytes(path)) for path in (self._record, *self._former())]
        parts = [part for record in records for part in (record.embedder, record.reranker)]
        return {part.folder for part in parts if part is not None}

    def tidy(self) -> None:
        """Remove weights that nobody names, and the whole folder where nothing is left to undo."""
        if not self.folder.is_dir():
            return
        if not self._record.exists() and not self._former():
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        named = self.named()
        for path in self.folder.iterdir():
            if path.is_dir() and path.name != UNDO and path.name not in named:
                shutil.rmtree(path, ignore_errors=True)

    def _former(self) -> list[Path]:
        return sorted(self._undo.glob("[0-9]*.json"))

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""

    def _parsed(self, data: bytes) -> Installed:
        if not data:
            return Installed()
        try:
            values = json.loads(data)
            if values["format"] != _FORMAT:
                raise ValueError("another format")
            parts = [values["embedder"], values["reranker"]]
            return Installed(*(None if part is None else AdaptedPart(**part) for part in parts))
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"{self._record} cannot be read: {error}",
                remedy=f"put the former record back: assistant distill adapt {self.name} --undo",
            ) from error


def undo_command(name: str) -> str:
    """What a person is told to do where adapted weights cannot be used."""
    return f"go back to what was before: assistant distill adapt {name} --undo"
