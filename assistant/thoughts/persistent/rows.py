"""What a passage and its extraction come to in the graph: names, mentions, facts. No storage."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from assistant.errors import GraphError
from assistant.thoughts.extraction.types import Extraction, Term, Triple
from assistant.thoughts.knowledge import mentions_of, source_of
from assistant.thoughts.linking import without_qualifier
from assistant.thoughts.model import (
    MAX_LABEL,
    MAX_TEXT,
    Evidence,
    Fact,
    make_fact,
    node_id,
    normal_form,
)
from assistant.thoughts.relations import relation_form
from indexes.documents import Passage
from indexes.encodings import text_key

_EXTRACTION: TypeAdapter[Extraction] = TypeAdapter(Extraction)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class PassageRows:
    """A passage's part of the graph.

    Attributes:
        surfaces: (entity id, label, type) → how often the passage has it.
        mentions: entity id → whether the passage is about it; what the walk goes by.
        facts: each with one piece of evidence; no two with the same id.
    """

    surfaces: dict[tuple[str, str, str], int]
    mentions: dict[str, bool]
    facts: tuple[Fact, ...]


def passage_key(passage: Passage) -> bytes:
    """SHA-256 of all that an extractor is given of a passage but its id."""
    source = source_of(passage)
    return text_key("\x1f".join((source.title, *source.headings, "", source.text)))


def packed(extraction: Extraction) -> bytes:
    """An extraction as JSON, compressed, without the passage's id: equal texts share one."""
    bare = replace(extraction, passage_id="")
    return zlib.compress(_EXTRACTION.dump_json(bare, exclude_defaults=True))


def unpacked(data: bytes, passage_id: str) -> Extraction:
    """
    Raises:
        ValueError: it is not what `packed` writes.
    """
    try:
        found = _EXTRACTION.validate_json(zlib.decompress(data))
    except zlib.error as error:
        raise ValueError("not a compressed extraction") from error
    return replace(found, passage_id=passage_id)


def rows_of(passage: Passage, extraction: Extraction) -> PassageRows:
    """What the graph holds of a passage."""
    surfaces: Counter[tuple[str, str, str]] = Counter()
    mentions: dict[str, bool] = {}
    for mentioned in mentions_of([passage], [extraction]):
        known = mentions.get(mentioned.entity_id, False)
        mentions[mentioned.entity_id] = known or mentioned.about
    title = source_of(passage).title
    for name in {title, without_qualifier(title)} if title.strip() else ():
        surfaces[_surface(Term(name))] += 1
    for mention in extraction.mentions:
        surfaces[_surface(mention.term)] += 1
    facts: dict[str, Fact] = {}
    for triple in extraction.triples:
        fact = _fact(passage, triple)
        if fact is None:
            continue
        facts.setdefault(fact.id, fact)
        for term in (triple.subject, triple.object):
            surfaces[_surface(term)] += 1
    return PassageRows(dict(surfaces), mentions, tuple(facts.values()))


def words_of(name: str) -> set[str]:
    """The words of a name, in its normal form."""
    return {word[:40] for word in _WORD.findall(normal_form(name))}


def words_of_id(identity: str) -> set[str]:
    """The words by which a node is found: its id is the normal form of each of its names."""
    name = identity.partition(":")[2]
    return {word[:40] for word in _WORD.findall(name[:MAX_LABEL])}


def _surface(term: Term) -> tuple[str, str, str]:
    return node_id(term.kind, term.label), term.label.strip()[:MAX_LABEL], term.type[:40]


def _fact(passage: Passage, triple: Triple) -> Fact | None:
    """None where it cannot be a fact: names too long or empty, both ends the same thing."""
    ends = (triple.subject, triple.object)
    if any(not 0 < len(term.label.strip()) <= MAX_LABEL for term in ends):
        return None
    subject, object_ = (node_id(term.kind, term.label) for term in ends)
    if subject == object_:
        return None
    quote = passage.text[triple.start : triple.end][:MAX_TEXT]
    try:
        return make_fact(
            subject,
            relation_form(triple.relation),
            object_,
            evidence=(Evidence("passage", passage.id, quote, triple.start, triple.end),),
            confidence=triple.confidence,
            valid_from=triple.valid_from,
            valid_to=triple.valid_to,
            negated=triple.negated,
            hedged=triple.hedged,
        )
    except GraphError:
        return None
