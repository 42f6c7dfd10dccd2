"""Weights that a person has already: a folder or a GGUF file outside the catalogue."""

from __future__ import annotations

from pathlib import Path

from assistant.errors import ModelMissingError, UsageError


def usable_path(path: Path, name: str, remedy: str) -> Path:
    """The path itself, or the one GGUF file of a folder that holds nothing else to load.

    Raises:
        ModelMissingError: it does not exist.
    """
    if not path.exists():
        raise ModelMissingError(
            f"the model '{name}' is not there: {path} does not exist", remedy=remedy
        )
    gguf = list(path.glob("*.gguf")) if path.is_dir() else []
    return gguf[0] if len(gguf) == 1 and not (path / "config.json").exists() else path


def check_kind(role: str, path: Path) -> None:
    """Look whether a path holds weights for a role: better said now than at the first question.

    Raises:
        UsageError: it does not exist, or is something else.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist", remedy="give a folder or a .gguf file")
    if role.endswith("answerer"):
        file = usable_path(path, path.name, "")
        if not _is_gguf(file):
            raise UsageError(
                f"{path} is not a GGUF file", remedy="give the .gguf file of the model"
            )
        return
    wanted = "config.cfg" if role == "parser" else "config.json"
    if not (path / wanted).is_file():
        kind = "a spaCy model" if role == "parser" else "a transformers model"
        raise UsageError(
            f"{path} is not {kind}: it has no {wanted}", remedy="give the model's own folder"
        )


def _is_gguf(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"
