"""The entries as documents, so that the index code can search them like any other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from assistant.knowledge.entries import KnowledgeEntry
from assistant.knowledge.store import KnowledgeStore
from indexes.documents import Block, Document, Entry, ReadFailure, content_hash

SCHEME = "knowledge"


class EntrySource:
    """One document per entry that may be used: its id is the entry's, its text what is searched.

    Args:
        folder: the folder of the index that the entries belong to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def spec(self) -> str:
        return f"{SCHEME}:{self._folder.absolute()}"

    def entries(self) -> Iterator[Entry | ReadFailure]:
        """By id, so that equal stores give equal indexes."""
        kept = [e for e in KnowledgeStore(self._folder).entries() if e.tier != "rejected"]
        for entry in sorted(kept, key=lambda entry: entry.id):
            yield Entry(_uri(entry), content_hash(entry.text), partial(_document, entry))


def _uri(entry: KnowledgeEntry) -> str:
    return f"{SCHEME}:{entry.id}"


def _document(entry: KnowledgeEntry) -> Document:
    # A title that is the id is not indexed: the entry is searched by its text alone.
    block = Block(0, len(entry.text), kind="passage")
    fingerprint = content_hash(entry.text)
    return Document(entry.id, _uri(entry), entry.id, entry.text, (block,), fingerprint=fingerprint)
