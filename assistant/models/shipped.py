"""Weights that are part of the program: what the project distilled itself.

`assistant/weights/NAME/` holds an export of a distillation run (changed weights or an adapter, its
description and its model card); the model that it builds on is fetched like any other.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from assistant.errors import ModelMissingError

READER_SPAN = "reader-span"
READER_WORDS = "reader-words"
RERANKER = "reranker"
REWRITER = "rewriter"
REWRITER_WRITES = "rewriter-writes"
CONVERSATION = "conversation"
SMALL_EMBEDDER = "minilm-3"


def shipped(name: str) -> Path:
    """The folder of a shipped model.

    Raises:
        ModelMissingError: it is not part of this installation.
    """
    folder = Path(str(files("assistant").joinpath("weights", name)))
    if not (folder / "export.json").is_file():
        raise ModelMissingError(
            f"the weights '{name}' are not part of this installation",
            remedy="install the assistant again, with its package data",
        )
    return folder
