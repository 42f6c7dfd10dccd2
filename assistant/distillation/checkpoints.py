"""Checkpoints on the disk, and what can go wrong while they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError

from assistant.errors import StorageError, TrainingError
from indexes.files import storage_errors

# torch's writer names no cause: these are its words for a write that did not succeed
_NOT_WRITTEN = ("No space left", "file write failed", "inline_container", "iostream error")


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint that is whole: the Trainer writes its state last."""
    found = []
    for path in folder.glob("checkpoint-*"):
        match = re.fullmatch(r"checkpoint-(\d+)", path.name)
        if match and _whole(path):
            found.append((int(match.group(1)), path))
    return max(found)[1] if found else None


def _whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def training_errors(folder: Path) -> Iterator[None]:
    """Errors of torch and of its writers in the project's words."""
    try:
        with storage_errors(folder):
            yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            "the device has too little memory for a batch",
            remedy="lower loop.batch_size or batch_tokens, and raise loop.accumulate instead",
        ) from error
    except (RuntimeError, SafetensorError) as error:
        if any(sign in str(error) for sign in _NOT_WRITTEN):
            raise StorageError(
                f"a checkpoint could not be written: no space left for {folder}, or the disk fails",
                remedy="free space and run the same command with --resume",
            ) from error
        raise
