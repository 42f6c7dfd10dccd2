"""An extractor without weights: capitalised words are names, "X is a Y" and "X met Y" are facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.thoughts.extraction.types import Extraction, Mention, Source, Term, Triple
from indexes.chunking import Chunker
from indexes.documents import Block, Document, content_hash, document_id
from indexes.staged_store import StagedStore
from indexes.store import PassageStore

_NAME = re.compile(r"\b[A-Z]\w+(?: [A-Z]\w+)*")
_FACT = re.compile(r"([A-Z]\w+(?: [A-Z]\w+)*) (is a|met) (\w+(?: [A-Z]\w+)*)")


class ToyExtractor:
    """`read` are the texts that it was given. `before` is called before each reading."""

    def __init__(
        self, fingerprint: str = "toy-1", before: Callable[[], None] = lambda: None
    ) -> None:
        self.fingerprint = fingerprint
        self.read: list[str] = []
        self._before = before

    def extract(self, sources: Sequence[Source]) -> list[Extraction]:
        self._before()
        self.read += [source.text for source in sources]
        return [self._one(source) for source in sources]

    def _one(self, source: Source) -> Extraction:
        def term(label: str) -> Term:
            named = label[0].isupper()
            return Term(label, type="person" if named else "", named=named)

        mentions = [Mention(term(m[0]), m.start(), m.end()) for m in _NAME.finditer(source.text)]
        triples = [
            Triple(term(m[1]), m[2], term(m[3]), m.start(), m.end(), 0.9)
            for m in _FACT.finditer(source.text)
        ]
        return Extraction(source.id, tuple(mentions), tuple(triples))


def store_of(folder: Path, texts: dict[str, str]) -> PassageStore:
    """A published store of documents by title."""
    number = len(list(folder.glob("store-*")))
    store = StagedStore(folder / f"store-{number}.sqlite")
    for title, text in texts.items():
        block = Block(0, len(text), kind="passage")
        document = Document(
            document_id(title), title, title, text, (block,), fingerprint=content_hash(text)
        )
        store.add(document, Chunker().split(document), source="toy")
    store.commit()
    return store
