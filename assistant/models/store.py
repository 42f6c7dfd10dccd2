"""The weights in the home folder: where they are, whether they are whole.

models/NAME/…            the files of a catalogue entry
models/NAME.json         when each file was last checked: size and time of change
models/registered.json   local folders that a person registered under a name
models/.partial/NAME/    a fetch that is under way or was interrupted
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from assistant.errors import (
    KnowledgeAssistantError,
    ModelCorruptError,
    ModelMissingError,
    UnknownNameError,
    UsageError,
)
from assistant.models.catalogue import Entry, Role, catalogue, find_entry
from indexes.files import sha256_of, storage_errors, write_atomically

State = Literal["installed", "missing", "partial", "damaged"]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One entry and how it stands. `path` is where it is, or would be."""

    name: str
    role: str
    title: str
    licence: str
    state: State
    bytes: int
    path: Path


class ModelStore:
    """The weights below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """The folder (or GGUF file) of an entry, a role, a registered name, or a path as it is.

        A quick check by size and time of change; `verify` reads every byte.

        Raises:
            ModelMissingError: not installed; the remedy is the command that fetches it.
            ModelCorruptError: a file is missing, cut short or was altered.
            UnknownNameError: there is no such model.
        """
        if (registered := self._registered().get(name)) is not None:
            return _existing(Path(registered["path"]), name)
        if "/" in name or "\\" in name or name.endswith(".gguf"):
            return _existing(Path(name).expanduser(), name)
        entry = self._entry(name)
        folder = self.folder / entry.name
        if not folder.is_dir():
            raise ModelMissingError(
                f"the weights '{entry.name}' ({entry.role}) are not installed",
                remedy=f"assistant models fetch {entry.role}",
            )
        self._check_quickly(entry)
        return folder / entry.files[0].name if entry.is_gguf else folder

    def _entry(self, name: str) -> Entry:
        try:
            return find_entry(name)
        except UnknownNameError as error:
            known = [e.name for e in catalogue()] + list(self._registered())
            raise UnknownNameError("model", name, known) from error

    def status(self) -> list[ModelStatus]:
        """Every catalogue entry, then what was registered."""
        found = []
        for entry in catalogue():
            folder = self.folder / entry.name
            found.append(
                ModelStatus(
                    entry.name,
                    entry.role,
                    entry.title,
                    entry.licence,
                    self._state(entry),
                    entry.bytes,
                    folder,
                )
            )
        for name, record in self._registered().items():
            path = Path(record["path"])
            state: State = "installed" if path.exists() else "missing"
            found.append(ModelStatus(name, record["role"], "registered", "", state, 0, path))
        return found

    def is_installed(self, name: str) -> bool:
        """Whether `path` would find the weights."""
        try:
            self.path(name)
        except KnowledgeAssistantError:
            return False
        return True

    def verify(self, name: str) -> int:
        """Read every byte of an entry and compare; returns how many files were checked.

        Raises:
            ModelMissingError, ModelCorruptError: with the command that mends it.
        """
        if name in self._registered():
            self.path(name)  # there are no checksums to compare with
            return 0
        entry = find_entry(name)
        folder = self.folder / entry.name
        if not folder.is_dir():
            self.path(name)
        check_files(entry, folder)
        self.mark_checked(entry)
        return len(entry.files)

    def register(self, name: str, role: str, path: Path) -> None:
        """Give a local folder or GGUF file a name that settings can use.

        Raises:
            UsageError: the path does not exist, or the name is a catalogue entry's.
        """
        if any(name in (entry.name, entry.role) for entry in catalogue()):
            raise UsageError(f"'{name}' is a name of the catalogue", remedy="choose another name")
        if role not in get_args(Role):
            raise UnknownNameError("role", role, get_args(Role))
        if not path.exists():
            raise UsageError(f"{path} does not exist", remedy="give a folder or a .gguf file")
        records = {**self._registered(), name: {"role": role, "path": str(path.absolute())}}
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / "registered.json", json.dumps(records).encode())

    def remove(self, name: str) -> None:
        """Delete an entry's files, finished and partial; a registered name is only forgotten."""
        records = self._registered()
        if records.pop(name, None) is not None:
            with storage_errors(self.folder):
                write_atomically(self.folder / "registered.json", json.dumps(records).encode())
            return
        entry = find_entry(name)
        for folder in (self.folder / entry.name, self.folder / ".partial" / entry.name):
            shutil.rmtree(folder, ignore_errors=True)
        self._stamp_file(entry).unlink(missing_ok=True)

    def mark_checked(self, entry: Entry) -> None:
        """Remember that the files were just compared with their checksums."""
        data = json.dumps(self._stamps(entry)).encode()
        with storage_errors(self.folder):
            write_atomically(self._stamp_file(entry), data)

    def _state(self, entry: Entry) -> State:
        if (self.folder / entry.name).is_dir():
            try:
                self._check_quickly(entry)
            except ModelCorruptError:
                return "damaged"
            return "installed"
        return "partial" if (self.folder / ".partial" / entry.name).is_dir() else "missing"

    def _check_quickly(self, entry: Entry) -> None:
        folder = self.folder / entry.name
        for file in entry.files:
            path = folder / file.name
            if not path.is_file() or path.stat().st_size != file.bytes:
                raise _damaged(entry, file.name)
        try:
            known = json.loads(self._stamp_file(entry).read_text())
        except (OSError, ValueError):
            known = None
        if known != self._stamps(entry):
            check_files(entry, folder)
            self.mark_checked(entry)

    def _stamps(self, entry: Entry) -> dict[str, Any]:
        folder = self.folder / entry.name
        return {file.name: (folder / file.name).stat().st_mtime for file in entry.files}

    def _stamp_file(self, entry: Entry) -> Path:
        return self.folder / f"{entry.name}.json"

    def _registered(self) -> dict[str, dict[str, str]]:
        try:
            data = json.loads((self.folder / "registered.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(data)


def check_files(entry: Entry, folder: Path) -> None:
    """Compare every file of an entry in `folder` with its checksum.

    Raises:
        ModelCorruptError: naming the first file that differs.
    """
    for file in entry.files:
        path = folder / file.name
        if not path.is_file() or sha256_of(path) != file.sha256:
            raise _damaged(entry, file.name)


def _damaged(entry: Entry, file: str) -> ModelCorruptError:
    return ModelCorruptError(
        f"the weights '{entry.name}' are damaged: {file} is missing, cut short or altered",
        remedy=f"assistant models fetch {entry.role} (it replaces what is damaged)",
    )


def _existing(path: Path, name: str) -> Path:
    if not path.exists():
        raise ModelMissingError(
            f"the model '{name}' is not there: {path} does not exist",
            remedy="register it again: assistant models register NAME ROLE FOLDER",
        )
    return path
