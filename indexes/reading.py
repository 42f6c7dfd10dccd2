"""What a search needs of a store of passages, wherever that store is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from indexes.documents import Passage
from indexes.store import StoredDocument


class PassageReader(Protocol):
    """Documents and passages of one generation, read only.

    A row is the number by which the search structures know a passage. In a file rows count from 0
    without gaps; on a server they are ascending numbers with gaps.
    """

    @property
    def passage_count(self) -> int: ...

    @property
    def document_count(self) -> int: ...

    def by_rows(self, rows: Sequence[int]) -> list[Passage]:
        """The passages at `rows`, in that order."""
        ...

    def passage(self, passage_id: str) -> Passage | None: ...

    def rows_of(self, passage_ids: Sequence[str]) -> list[int]:
        """The rows of these passages, ascending; ids that are not here are left out."""
        ...

    def of_document(self, document_id: str) -> dict[int, Passage]:
        """A document's passages by row, in its order."""
        ...

    def passages(self) -> Iterator[Passage]:
        """Every passage, by row."""
        ...

    def document(self, document_id: str) -> StoredDocument | None:
        """A document with its whole text."""
        ...

    def documents(self, *, with_text: bool = False) -> Iterator[StoredDocument]:
        """Every document, by uri; without its text unless asked for."""
        ...

    def uris_of(self, source: str) -> set[str]:
        """The uris of the documents that came from one source."""
        ...

    def fingerprints(self) -> dict[str, tuple[str, str]]:
        """uri → (fingerprint, document id)."""
        ...

    def close(self) -> None: ...
