"""From what a passage states to facts of the graph: those that bear on what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from assistant.errors import GraphError
from assistant.thoughts.changes import Batch
from assistant.thoughts.executor import Operations
from assistant.thoughts.extraction.types import Extraction, Term, Triple
from assistant.thoughts.likeness import likeness
from assistant.thoughts.operations import AddFact, MergeEntities, Quoted, Thing
from assistant.thoughts.resolution import definitions, within_document
from assistant.thoughts.results import FactAdded, Merged
from indexes.documents import Passage
from indexes.encoders import DenseEncoder

# A sentence less like everything that is asked (cosine, or share of words) does not bear on it.
BEARS_ON = 0.30
MOST_FACTS = 12  # of one passage


def spoken(title: str, sentence: str) -> str:
    """A sentence with what it is about, as it is compared with a question."""
    return f"{title}: {' '.join(sentence.split())}"


def stated(extraction: Extraction, passage: Passage) -> list[str]:
    """The sentences that state something, each once, as they are compared with a question."""
    spans = dict.fromkeys((t.start, t.end) for t in extraction.triples)
    return [spoken(passage.title, passage.text[start:end]) for start, end in spans]


def relevant_triples(
    extraction: Extraction, passage: Passage, asked: Sequence[str], encoder: DenseEncoder | None
) -> list[Triple]:
    """The triples whose sentences bear on one of the things asked, in reading order."""
    spans = list(dict.fromkeys((t.start, t.end) for t in extraction.triples))
    sentences = stated(extraction, passage)
    scores = [0.0] * len(spans)
    for text in asked:
        scores = list(map(max, scores, likeness(text, sentences, encoder)))
    by_span = dict(zip(spans, scores, strict=True))
    bearing = [t for t in extraction.triples if by_span[(t.start, t.end)] >= BEARS_ON]
    if len(bearing) > MOST_FACTS:
        floor = sorted((by_span[(t.start, t.end)] for t in bearing), reverse=True)[MOST_FACTS - 1]
        bearing = [t for t in bearing if by_span[(t.start, t.end)] >= floor][:MOST_FACTS]
    return bearing


def add_facts(
    operations: Operations, passage: Passage, triples: Sequence[Triple], step: int
) -> Iterator[Batch]:
    """Add each triple as a fact with its sentence as evidence; what does not fit is left out."""
    for triple in triples:
        try:
            result = operations.execute(
                _operation(passage, triple),
                author="rule",
                reason=f"read in {passage.title or passage.id}"[:200],
                step=step,
            )
        except (GraphError, ValidationError):
            continue  # a name too long or empty in its normal form, both ends the same thing…
        if isinstance(result, FactAdded) and result.batch is not None:
            yield result.batch


def _operation(passage: Passage, triple: Triple) -> AddFact:
    return AddFact(
        op="add_fact",
        subject=_thing(triple.subject),
        relation=triple.relation,
        object=_thing(triple.object),
        evidence=[
            Quoted(
                kind="passage",
                source=passage.id,
                quote=passage.text[triple.start : triple.end],
                start=triple.start,
                end=triple.end,
            )
        ],
        negated=triple.negated,
        hedged=triple.hedged,
        valid_from=triple.valid_from,
        valid_to=triple.valid_to,
        confidence=triple.confidence,
    )


def _thing(term: Term) -> Thing:
    return Thing(name=term.label, kind=term.kind, type=term.type[:40])


def merge_names(
    operations: Operations, extraction: Extraction, text: str, step: int
) -> Iterator[Batch]:
    """Merge names of one thing inside a passage: an acronym with what it stands for, a surname with
    the one full name. Each merge can be taken back."""
    terms = [term for t in extraction.triples for term in (t.subject, t.object)]
    terms += [mention.term for mention in extraction.mentions]
    for merge in within_document(terms, definitions(text)).values():
        if merge.keep in operations.graph and merge.drop in operations.graph:
            try:
                result = operations.execute(
                    MergeEntities(op="merge_entities", keep=merge.keep, drop=merge.drop),
                    author="rule",
                    reason=f"{merge.how}: {merge.why}"[:200],
                    step=step,
                )
            except (GraphError, ValidationError):
                continue
            if isinstance(result, Merged):
                yield result.batch
