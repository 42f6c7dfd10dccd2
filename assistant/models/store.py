"""The weights in the home folder: where they are, whether they are whole.

models/NAME/…            the files of a catalogue entry
models/NAME.json         when each file was last checked: size and time of change
models/registered.json   local folders that a person registered under a name
models/.partial/NAME/    a fetch that is under way or was interrupted
models/.partial/NAME.lock  held by the process that fetches it
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from filelock import FileLock, Timeout

from assistant.errors import (
    KnowledgeAssistantError,
    ModelCorruptError,
    ModelMissingError,
    StorageError,
    UnknownNameError,
    UsageError,
)
from assistant.models.catalogue import Entry, Role, catalogue, find_entry
from assistant.models.local import check_kind, usable_path
from assistant.models.shipped import SMALL_EMBEDDER, shipped
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
            remedy = "register it again: assistant models register NAME ROLE FOLDER"
            return usable_path(Path(registered["path"]), name, remedy)
        if "/" in name or "\\" in name or name.endswith(".gguf"):
            return usable_path(Path(name).expanduser(), name, "check the path")
        if name == SMALL_EMBEDDER:
            from assistant.models.small_embedder import assembled

            return assembled(shipped(name), self.path("minilm"), self.folder / name)
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
            known = (
                [e.name for e in catalogue()]
                + [SMALL_EMBEDDER]
                + list(self._registered(strict=True))
            )
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
        try:
            check_files(entry, folder)
        except ModelCorruptError:
            # Without the stamp the next use, and the fetch that mends it, look at every byte too.
            with contextlib.suppress(OSError):
                self._stamp_file(entry).unlink(missing_ok=True)
            raise
        self._remember_check(entry)
        return len(entry.files)

    def register(self, name: str, role: str, path: Path) -> None:
        """Give a local folder or GGUF file a name that settings can use.

        Raises:
            UsageError: the path does not exist or holds no weights for that role, or the name
                cannot be one or is a catalogue entry's.
            UnknownNameError: there is no such role.
        """
        if not name or set(name) & set("/\\") or name.endswith(".gguf"):
            raise UsageError(f"'{name}' cannot be a name", remedy="use letters, digits, - and .")
        if name == SMALL_EMBEDDER or any(name in (e.name, e.role) for e in catalogue()):
            raise UsageError(f"'{name}' is a name of the catalogue", remedy="choose another name")
        if role not in get_args(Role):
            raise UnknownNameError("role", role, get_args(Role))
        path = path.expanduser().absolute()
        check_kind(role, path)
        self._register({**self._registered(strict=True), name: {"role": role, "path": str(path)}})

    def remove(self, name: str) -> None:
        """Delete an entry's files, finished and partial; a registered name is only forgotten.

        Raises:
            UnknownNameError: there is no such model.
            UsageError: it is being fetched at this moment.
            StorageError: the files cannot be deleted.
        """
        records = self._registered(strict=True)
        if records.pop(name, None) is not None:
            self._register(records)
            return
        entry = self._entry(name)
        folders = [f for f in (self.folder / entry.name, self.staging(entry)) if f.exists()]
        if not folders:
            return
        with storage_errors(self.folder):
            self.lock_file(entry).parent.mkdir(exist_ok=True)
            try:
                with FileLock(self.lock_file(entry), timeout=0):
                    self._stamp_file(entry).unlink(missing_ok=True)
                    for folder in folders:
                        shutil.rmtree(folder)
            except Timeout as error:
                raise UsageError(
                    f"'{entry.name}' is being fetched", remedy="stop the fetch first"
                ) from error

    def staging(self, entry: Entry) -> Path:
        """Where a fetch keeps what it has so far."""
        return self.folder / ".partial" / entry.name

    def lock_file(self, entry: Entry) -> Path:
        """Held while the entry is fetched or removed."""
        return self.folder / ".partial" / f"{entry.name}.lock"

    def mark_checked(self, entry: Entry, folder: Path) -> None:
        """Remember that the files in `folder` were just compared with their checksums."""
        data = json.dumps(_stamps(entry, folder)).encode()
        with storage_errors(self.folder):
            write_atomically(self._stamp_file(entry), data)

    def _remember_check(self, entry: Entry) -> None:
        # Weights in a folder that may only be read are as good as others.
        with contextlib.suppress(StorageError):
            self.mark_checked(entry, self.folder / entry.name)

    def _state(self, entry: Entry) -> State:
        if (self.folder / entry.name).is_dir():
            try:
                self._check_quickly(entry)
            except ModelCorruptError:
                return "damaged"
            return "installed"
        return "partial" if self.staging(entry).is_dir() else "missing"

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
        if known != _stamps(entry, folder):
            check_files(entry, folder)
            self._remember_check(entry)

    def _stamp_file(self, entry: Entry) -> Path:
        return self.folder / f"{entry.name}.json"

    def _registered(self, *, strict: bool = False) -> dict[str, dict[str, str]]:
        """What was registered. A list that is damaged counts as empty, unless `strict`."""
        file = self.folder / "registered.json"
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            return {name: {"role": r["role"], "path": r["path"]} for name, r in data.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            if not strict:
                return {}
            raise StorageError(
                f"{file} cannot be read: {error}", remedy="mend or delete it, then register again"
            ) from error

    def _register(self, records: Mapping[str, Mapping[str, str]]) -> None:
        data = json.dumps(records, ensure_ascii=False, indent=1).encode()
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / "registered.json", data)


def _stamps(entry: Entry, folder: Path) -> dict[str, float]:
    return {file.name: (folder / file.name).stat().st_mtime for file in entry.files}


def check_files(entry: Entry, folder: Path) -> None:
    """Compare every file of an entry in `folder` with its checksum.

    Raises:
        ModelCorruptError: naming the first file that differs.
    """
    for file in entry.files:
        path = folder / file.name
        try:
            whole = path.is_file() and sha256_of(path) == file.sha256
        except OSError as error:  # a failing disk, or no right to read it
            raise _damaged(entry, file.name) from error
        if not whole:
            raise _damaged(entry, file.name)


def _damaged(entry: Entry, file: str) -> ModelCorruptError:
    return ModelCorruptError(
        f"the weights '{entry.name}' are damaged: {file} is missing, cut short or altered",
        remedy=f"assistant models fetch {entry.role} (it replaces what is damaged)",
    )
