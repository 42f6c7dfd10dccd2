"""What passages mention and state: from the graph of the index, or read on the spot."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

from assistant.thoughts.extraction.types import Extraction, Extractor, Source
from assistant.thoughts.linking import names_of_title
from assistant.thoughts.model import node_id
from assistant.thoughts.ranking import Links, Mentioned
from indexes.documents import Passage

# Passages read on the spot for the walk: what a question may wait for.
READ_NOW = 20
_KEPT = 2_000  # extractions remembered in a process

# They are mentioned everywhere and lead nowhere.
_LOOSE_TYPES = frozenset(("cardinal", "ordinal", "percent", "quantity", "time", "date", "money"))


class Knowledge(Protocol):
    """What the loop asks about passages."""

    def extractions(self, passages: Sequence[Passage]) -> list[Extraction]:
        """What each passage mentions and states, in the order of the passages."""
        ...

    def links(self, passages: Sequence[Passage]) -> Links:
        """Who mentions what: in the whole index, or among these passages."""
        ...


class NowReader:
    """Reads passages when they are asked for. Safe to share between threads.

    Args:
        extractor: reads; what it read is remembered by passage text.
    """

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self._known: OrderedDict[tuple[str, str], Extraction] = OrderedDict()

    def extractions(self, passages: Sequence[Passage]) -> list[Extraction]:
        """See `Knowledge`."""
        keys = [(passage.id, passage.indexed_text) for passage in passages]
        new = {k: p for k, p in zip(keys, passages, strict=True) if k not in self._known}
        found = self._extractor.extract([source_of(passage) for passage in new.values()])
        read = dict(zip(new, found, strict=True))
        result = [read[key] if key in read else self._known[key] for key in keys]
        self._known.update(read)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return result

    def links(self, passages: Sequence[Passage]) -> Links:
        """See `Knowledge`: among the first `READ_NOW` passages."""
        near = passages[:READ_NOW]
        return Links(list(mentions_of(near, self.extractions(near))))


def source_of(passage: Passage) -> Source:
    """A passage as extractors take it."""
    return Source(passage.id, passage.text, passage.name, passage.headings)


def mentions_of(
    passages: Sequence[Passage], extractions: Sequence[Extraction]
) -> Iterable[Mentioned]:
    """Which entities passages mention, and which they are about: those their titles name."""
    for passage, extraction in zip(passages, extractions, strict=True):
        for name in names_of_title(passage.name):
            yield Mentioned(passage.id, node_id("entity", name), about=True)
        for mention in extraction.mentions:
            term = mention.term
            if term.named and term.kind == "entity" and term.type not in _LOOSE_TYPES:
                yield Mentioned(passage.id, node_id("entity", term.label), about=mention.about)
