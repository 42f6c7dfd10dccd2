"""Files that belong to one conversation: an index of their own, searched beside the chosen one.

    HOME/attached/CONVERSATION/files/      the files as they came
    HOME/attached/CONVERSATION/index/      made of them; searchable by words at once

They are in no list of indexes and no other conversation finds them; they go with the conversation.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import (
    IndexNotFoundError,
    KnowledgeAssistantError,
    ModelMissingError,
    UnknownNameError,
    UsageError,
)
from assistant.file_names import safe_name
from indexes.build import IndexWriter
from indexes.corpora import open_source
from indexes.encoders import Encoders
from indexes.files import storage_errors, write_atomically
from indexes.index import Index
from indexes.manifest import check_name
from indexes.progress import OnProgress

MAX_BYTES = 20_000_000  # of one file: longer ones belong into an index
MAX_FILES = 20


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """One file of a conversation; `passages` is how many there are to be found."""

    name: str
    passages: int


class Attachments:
    """The attached files of all conversations of a home. Safe to share between threads.

    Args:
        root: the folder that they are kept in.
        encoders: gives the encoders when they are first needed.
    """

    def __init__(self, root: Path, encoders: Callable[[], Encoders]) -> None:
        self._root = root
        self._encoders = encoders
        self._open: dict[str, Index] = {}
        self._lock = threading.RLock()

    def add(
        self,
        conversation_id: str,
        files: Sequence[tuple[str, bytes]],
        on_progress: OnProgress = lambda progress: None,
    ) -> list[AttachedFile]:
        """Attach files, (name, content) each; one of the same name is replaced.

        Raises:
            UsageError: a file is of a kind that cannot be read, too large, damaged, without text,
                or there are too many. What was attached before stays.
            StorageError: the disk is full or the folder not writable.
        """
        named = [(safe_name(name), data) for name, data in files]
        folder = self._folder(conversation_id) / "files"
        present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        if len(present | {name for name, _ in named}) > MAX_FILES:
            raise UsageError(
                f"a conversation takes {MAX_FILES} files at most",
                remedy="make an index of them in the library",
            )
        for name, data in named:
            if len(data) > MAX_BYTES:
                raise UsageError(
                    f"'{name}' has {len(data) / 1e6:.0f} MB, at most {MAX_BYTES / 1e6:.0f} are "
                    "taken in a conversation",
                    remedy="add it to an index in the library",
                )
        with self._lock:
            before = {name: (folder / name).read_bytes() for name, _ in named if name in present}
            try:
                with storage_errors(folder):
                    folder.mkdir(parents=True, exist_ok=True)
                    for name, data in named:
                        write_atomically(folder / name, data)
                self._build(conversation_id, on_progress)
                self._refuse_unread(conversation_id, [name for name, _ in named])
            except KnowledgeAssistantError:
                for name, _ in named:
                    if name in before:
                        write_atomically(folder / name, before[name])
                    else:
                        (folder / name).unlink(missing_ok=True)
                with suppress(KnowledgeAssistantError):
                    self._build(conversation_id, on_progress)
                raise
        return self.list(conversation_id)

    def list(self, conversation_id: str) -> list[AttachedFile]:
        """The files of a conversation by name."""
        index = self.index(conversation_id)
        if index is None:
            return []
        found = []
        for document in index.store.documents():
            passages = len(index.store.of_document(document.id))
            found.append(AttachedFile(Path(document.uri).name, passages))
        return sorted(found, key=lambda file: file.name)

    def remove(self, conversation_id: str, name: str) -> None:
        """Take a file out of a conversation, for good.

        Raises:
            UnknownNameError: it has no such file.
        """
        names = [file.name for file in self.list(conversation_id)]
        if name not in names:
            raise UnknownNameError("attached file", name, names)
        if len(names) == 1:
            self.delete(conversation_id)
            return
        with self._lock:
            (self._folder(conversation_id) / "files" / name).unlink(missing_ok=True)
            self._build(conversation_id, lambda progress: None)
            # The cache of encodings may still hold the text's: it is made anew when needed.
            (self._index_folder(conversation_id) / "encodings.sqlite").unlink(missing_ok=True)

    def index(self, conversation_id: str) -> Index | None:
        """What a conversation's files are searched in; None where it has none."""
        folder = self._index_folder(conversation_id)
        with self._lock:
            known = self._open.get(conversation_id)
            if known is not None and known.is_current:
                return known
            try:
                opened = Index.open(folder, self._encoders())
            except IndexNotFoundError:
                self._open.pop(conversation_id, None)
                return None
            self._open[conversation_id] = opened
            return opened

    def holds(self, uri: str) -> bool:
        """Whether a document is an attached file, of whichever conversation."""
        return Path(uri).is_relative_to(self._root)

    def index_of(self, uri: str) -> Index | None:
        """What an attached file is searched in; None where it is gone, or is none."""
        if not self.holds(uri):
            return None
        return self.index(Path(uri).relative_to(self._root).parts[0])

    def delete(self, conversation_id: str) -> None:
        """Remove all files of a conversation with all that was made of them."""
        with self._lock:
            self._open.pop(conversation_id, None)
            shutil.rmtree(self._folder(conversation_id), ignore_errors=True)

    def _folder(self, conversation_id: str) -> Path:
        return self._root / check_name(conversation_id)

    def _index_folder(self, conversation_id: str) -> Path:
        return self._folder(conversation_id) / "index"

    def _build(self, conversation_id: str, on_progress: OnProgress) -> None:
        folder = self._index_folder(conversation_id)
        writer = IndexWriter(folder, self._encoders(), on_progress=on_progress)
        source = open_source(str(self._folder(conversation_id) / "files"))
        with suppress(ModelMissingError):  # searchable by words, published before encoding began
            writer.build([source])

    def _refuse_unread(self, conversation_id: str, names: Sequence[str]) -> None:
        """Say which of the files could not be read.

        Raises:
            UsageError: some could not, or have no text.
        """
        index = self.index(conversation_id)
        passages = {file.name: file.passages for file in self.list(conversation_id)}
        failed = index.manifest.failures if index is not None else []
        why = {Path(failure.uri).name: failure.reason for failure in failed}
        for name in names:
            if name in why:
                raise UsageError(f"'{name}' cannot be read: {why[name]}", remedy="choose another")
            if not passages.get(name):
                raise UsageError(
                    f"'{name}' has no text that can be read",
                    remedy="a scanned document has to be turned into text first",
                )
