"""What the parts of an index hand to each other: documents, blocks, passages.

A `Document` is the text that was extracted from one source item, kept whole. Everything that
points into it (a block, a passage, a citation) does so by character offsets into `Document.text`,
so that a citation can open the very place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

BlockKind = Literal["text", "heading", "table", "code", "list", "row", "passage"]


def content_hash(text: str) -> str:
    """SHA-256 of `text` as hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document that belongs together: a paragraph, a table, a code listing.

    `start` and `end` are character offsets into the document's text (end exclusive). `headings`
    is the path of headings above the block, outermost first. `page` counts from 1 and is None
    where the format has no pages. Kind "passage" is never split or joined (BEIR, TREC).
    """

    start: int
    end: int
    headings: tuple[str, ...] = ()
    page: int | None = None
    kind: BlockKind = "text"


@dataclass(frozen=True, slots=True)
class Document:
    """One item of a source, as text.

    Attributes:
        id: stable across rebuilds: the id in the collection where it has one, else a digest of uri.
        uri: absolute path, web address, or `package:NAME#module`.
        title: what a person would call it; never empty: a collection's passage without a title
            has its id here.
        text: the whole extracted text.
        blocks: in order, not overlapping; a reader that finds no structure gives one block.
        media_type: e.g. "application/pdf", "text/markdown".
        fingerprint: equal when the source item is unchanged (SHA-256 of its bytes).
        modified: seconds since the epoch, None where unknown.
    """

    id: str
    uri: str
    title: str
    text: str
    blocks: tuple[Block, ...]
    media_type: str = "text/plain"
    fingerprint: str = ""
    modified: float | None = None


def document_id(uri: str) -> str:
    """The id of a document that has none of its own: 16 hexadecimal digits of its uri's hash."""
    return content_hash(uri)[:16]


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit of retrieval and of citation.

    `text` equals `document.text[start:end]`. `context` is what the encoders see before the text:
    the document's title and the heading path, so that a passage from the middle of a long
    document still says what it is about.
    """

    id: str
    document_id: str
    text: str
    start: int
    end: int
    title: str = ""
    uri: str = ""
    page: int | None = None
    headings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The title; empty where it is only the document's id, which tells nothing."""
        return self.title if self.title != self.document_id else ""

    @property
    def indexed_text(self) -> str:
        """Name, headings and text: what is encoded and searched lexically."""
        names = [self.name, *(h for h in self.headings if h != self.title)]
        context = " › ".join(name for name in names if name)
        return f"{context}\n{self.text}" if context else self.text


@dataclass(frozen=True, slots=True)
class Entry:
    """One item that a source offers, before it is read.

    `fingerprint` tells a changed item from an unchanged one without parsing it; `load` parses it
    and raises `ReadError` where it cannot be read.
    """

    uri: str
    fingerprint: str
    load: Callable[[], Document]


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """An item that could not be read, with the reason and the remedy in words."""

    uri: str
    reason: str
    remedy: str = ""


class Source(Protocol):
    """Where documents come from.

    `spec` is the text that names the source on the command line (`/home/me/notes`,
    `beir:FOLDER`, `packages:networkx`) in a canonical form (absolute paths): it is stored in the
    index, and `indexes.corpora.open_source(spec)` opens the same source again for an update.
    """

    @property
    def spec(self) -> str: ...

    def entries(self) -> Iterator[Entry | ReadFailure]:
        """Every item, in a stable order; an item that cannot even be opened is a ReadFailure."""
        ...
