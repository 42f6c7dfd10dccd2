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
    hub_name: str = ""

    @property
    def name_at_hub(self) -> str:
        return self.hub_name or self.name


class Package(_Record):
    """A package (NAME==VERSION) that carries weights; size and SHA-256 are its wheel's.

    `part` is the member that is joined to the entry's one file, empty where files are taken whole.
    """

    spec: str
    bytes: int
    sha256: str
    part: str = ""


class Entry(_Record):
    """One set of weights.

    Attributes:
        needs: the Python package that runs it.
        context: longest input in tokens; 0 where it has no limit.
        packages: what carries it in the Python package registry.
        inside: the folder of the package that the files are taken from.
        hub, revision: the same files at a model hub; empty where no hub has them.
        files: what is kept.
    """

    name: str
    role: Role
    title: str
    licence: str
    needs: str
    packages: tuple[Package, ...]
    files: tuple[WeightFile, ...]
    inside: str = ""
    hub: str = ""
    revision: str = ""
    context: int = 0

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
