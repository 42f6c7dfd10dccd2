"""Files and folders on disk."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from indexes.corpora.formats import LARGEST_FILE, SUFFIXES, format_of, oversized, parse
from indexes.documents import Document, Entry, ReadFailure, document_id
from indexes.errors import ReadError, UsageError

_SKIPPED_FOLDERS = frozenset(
    ["__pycache__", "node_modules", "venv", "site-packages", "CVS", "__MACOSX"]
)


class FileSource:
    """One file, or every readable file below a folder, in the order of their paths.

    Left out without a word: hidden files and folders, folders of tools (version control,
    `node_modules`, virtual environments), links to folders, and files of unknown formats.

    Raises:
        UsageError: it does not exist, or is a single file of a format that cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        given = Path(path).expanduser()
        try:
            self.path = given.resolve(strict=True)
        except FileNotFoundError as error:
            raise UsageError(
                f"there is no file or folder '{path}'",
                remedy="check the path; a web page begins with https://",
            ) from error
        except (OSError, RuntimeError) as error:
            raise UsageError(f"cannot open '{path}': {error}", remedy="check the path") from error
        if not self.path.is_dir():
            self._check_file()

    def _check_file(self) -> None:
        if not self.path.is_file():
            raise UsageError(f"'{self.path}' is neither a file nor a folder")
        if format_of(self.path.name) is None:
            raise UsageError(
                f"cannot read '{self.path.name}': unknown format",
                remedy=f"known endings: {' '.join(SUFFIXES)}",
            )

    @property
    def spec(self) -> str:
        return str(self.path)

    def entries(self) -> Iterator[Entry | ReadFailure]:
        """Every file with the hash of its bytes; nothing is parsed yet."""
        if not self.path.is_dir():
            yield _entry(self.path)
            return
        for item in _walk(self.path):
            yield item if isinstance(item, ReadFailure) else _entry(item)

    def item(self, uri: str) -> Entry | ReadFailure | None:
        """The file of that uri, as `entries` would give it; None if it is not below this place."""
        path = Path(uri)
        return _entry(path) if path.is_relative_to(self.path) and uri_of(path) == uri else None


def _walk(root: Path) -> Iterator[Path | ReadFailure]:
    """Readable files below `root` in order; folders that cannot be opened are failures."""
    pending: list[tuple[Path, bool]] = [(root, True)]
    while pending:
        path, is_folder = pending.pop()
        if not is_folder:
            yield path
            continue
        try:
            with os.scandir(path) as found:
                items = sorted(found, key=lambda item: item.name)
        except OSError as error:
            yield ReadFailure(
                uri_of(path),
                f"the folder cannot be opened: {error.strerror}",
                "check its permissions, or leave it out",
            )
            continue
        if path != root and any(item.name == "pyvenv.cfg" for item in items):
            continue  # a virtual environment
        for item in reversed(items):
            if _is_wanted(item, root):
                pending.append((Path(item.path), item.is_dir(follow_symlinks=False)))


def _is_wanted(item: os.DirEntry[str], root: Path) -> bool:
    """Folders; files of known formats, and links to them; no links to folders, no devices."""
    if item.name.startswith((".", "~$")):  # "~$": what Word leaves beside an open document
        return False
    if item.is_dir(follow_symlinks=False):
        return item.name not in _SKIPPED_FOLDERS
    if format_of(item.name) is None:
        return False
    try:
        if not stat.S_ISREG(item.stat().st_mode):
            return False
        return not item.is_symlink() or not _is_met_anyway(Path(item.path).resolve(), root)
    except (OSError, RuntimeError):
        return True  # reading it will say what is wrong


def _is_met_anyway(target: Path, root: Path) -> bool:
    """Whether the target of a link lies where the walk comes past."""
    if not target.is_relative_to(root):
        return False
    parts = target.relative_to(root).parts
    return not any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in parts)


def uri_of(path: Path) -> str:
    """The path as text; bytes of a name that are no UTF-8 are written as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _entry(path: Path) -> Entry | ReadFailure:
    uri = uri_of(path)
    try:
        data, _ = _read(path)
    except ReadError as error:
        return ReadFailure(uri, error.message, error.remedy)
    return Entry(uri, _fingerprint(data), lambda: _load(path))


def _load(path: Path) -> Document:
    data, modified = _read(path)
    uri = uri_of(path)
    parsed, form = parse(data, uri_of(Path(path.name)))
    return Document(
        id=document_id(uri),
        uri=uri,
        title=parsed.title or uri_of(Path(path.name)),
        text=parsed.text,
        blocks=parsed.blocks,
        media_type=form.media_type,
        fingerprint=_fingerprint(data),
        modified=modified,
    )


def _fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(path: Path) -> tuple[bytes, float]:
    """The bytes of a file and when it was modified.

    Raises:
        ReadError: no rights, gone, or changed twice while it was read.
        OversizedDocumentError: above the limit.
    """
    name = uri_of(Path(path.name))
    try:
        for _ in range(2):
            with path.open("rb") as file:
                before = os.fstat(file.fileno())
                if not stat.S_ISREG(before.st_mode):
                    raise ReadError(f"{name} is not a regular file", remedy="leave it out")
                if before.st_size > LARGEST_FILE:
                    raise oversized(name, before.st_size)
                data = file.read(LARGEST_FILE + 1)
            after = path.stat()
            if (before.st_mtime_ns, before.st_size, before.st_ino) == (
                after.st_mtime_ns,
                len(data),
                after.st_ino,
            ):
                return data, after.st_mtime
    except FileNotFoundError as error:
        reason = "is a link to nothing" if path.is_symlink() else "is gone"
        raise ReadError(f"{name} {reason}", remedy="run the update again") from error
    except OSError as error:
        raise ReadError(
            f"{name} cannot be opened: {error.strerror}", remedy="check its permissions"
        ) from error
    raise ReadError(f"{name} changed while it was read", remedy="run the update again later")
