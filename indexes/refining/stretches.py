"""Neighbouring passages of one document, joined for the reader.

Passages are cut for retrieval. Where several neighbours were found, what was cut apart is read as
one stretch of the document, with the offsets it has there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexes.documents import Passage
from indexes.errors import UsageError
from indexes.store import StoredDocument


class Documents(Protocol):
    """Where whole documents are found."""

    def document(self, document_id: str) -> StoredDocument | None: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive passages of one document as one text.

    `text` equals `document.text[start:end]`; `positions` are those of the passages in the list
    that was given, in the order of the document.
    """

    document_id: str
    text: str
    start: int
    end: int
    positions: tuple[int, ...]


def joined(
    passages: Sequence[Passage], documents: Documents, *, longest: int | None = None
) -> list[Stretch]:
    """Stretches in the order of their best passage; every passage is in exactly one.

    Two passages of a document are neighbours if they overlap or only blanks lie between them.

    Args:
        passages: best first.
        longest: characters of a stretch at most; a single passage may be longer. None: no limit.

    Raises:
        UsageError: a passage's document is not here.
    """
    by_document: dict[str, list[int]] = {}
    for position, passage in enumerate(passages):
        by_document.setdefault(passage.document_id, []).append(position)
    found: list[Stretch] = []
    for document_id, positions in by_document.items():
        stored = documents.document(document_id)
        if stored is None:
            raise UsageError(f"the document {document_id} of a passage is not in the index")
        for run in _runs(stored.text, passages, positions, longest):
            start = min(passages[position].start for position in run)
            end = max(passages[position].end for position in run)
            found.append(Stretch(document_id, stored.text[start:end], start, end, tuple(run)))
    return sorted(found, key=lambda stretch: min(stretch.positions))


def _runs(
    text: str, passages: Sequence[Passage], positions: Sequence[int], longest: int | None
) -> list[list[int]]:
    """Positions of neighbours together, each run in the order of the document."""
    runs: list[list[int]] = []
    start = end = 0
    for position in sorted(positions, key=lambda p: (passages[p].start, passages[p].end, p)):
        passage = passages[position]
        reach = max(end, passage.end)
        if (
            runs
            and not text[end : passage.start].strip()
            and (longest is None or reach - start <= longest)
        ):
            runs[-1].append(position)
            end = reach
        else:
            runs.append([position])
            start, end = passage.start, passage.end
    return runs
