"""From the parsed paragraphs of one passage to its mentions and triples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.thoughts.extraction.clauses import ordered, states_something
from assistant.thoughts.extraction.cleaning import Block
from assistant.thoughts.extraction.copulas import LINKING, read_copula
from assistant.thoughts.extraction.nouns import read_brackets, read_heading_phrase, read_noun
from assistant.thoughts.extraction.phrases import joined, make_term, words_of
from assistant.thoughts.extraction.references import References, about_of
from assistant.thoughts.extraction.statements import Collector, bearer
from assistant.thoughts.extraction.trees import (
    VERBS,
    Token,
    child,
    grammatical_subjects,
    is_passive,
)
from assistant.thoughts.extraction.types import Extraction, Mention, Source
from assistant.thoughts.extraction.verbs import read_verb

MAX_SENTENCE = 150  # tokens; longer ones are lists or no prose, and are not read for facts
MAX_MENTIONS = 500  # of a passage


def read_passage(source: Source, parsed: Sequence[tuple[Block, Any]]) -> Extraction:
    """Reads the paragraphs in order.

    Args:
        parsed: each paragraph with its parse.
    """
    about = about_of(source)
    collector = Collector(References(about))
    mentions: dict[tuple[int, int], Mention] = {}
    begins = True
    for block, doc in parsed:
        _mentions(doc, block, mentions)
        for sentence in doc.sents:
            if len(sentence) <= MAX_SENTENCE and not collector.full:
                collector.start, collector.end = _offsets(sentence, block)
                if begins and (subject := child(sentence.root, "nsubj", "nsubjpass")) is not None:
                    collector.references.note_first_subject(subject)
                begins = False
                _sentence(sentence, block, collector)
    found = sorted(mentions.values(), key=lambda m: (m.start, m.end))
    if about is not None:
        first = next((m for m in found if m.term.normal == about.normal), None)
        start, end = (first.start, first.end) if first else (0, 0)
        found = [m for m in found if m is not first]
        found.insert(0, Mention(about, start, end, about=True))
    return Extraction(source.id, tuple(found[:MAX_MENTIONS]), tuple(collector.triples))


def _offsets(sentence: Any, block: Block) -> tuple[int, int]:
    words = [t for t in sentence if not t.is_space]
    if not words:
        return 0, 0
    return block.span(words[0].idx, words[-1].idx + len(words[-1]))


def _sentence(sentence: Any, block: Block, collector: Collector) -> None:
    if sentence.text.rstrip().endswith("?"):
        return
    tokens = list(sentence)
    nouns = [t for t in tokens if t.pos_ in ("NOUN", "PROPN")]
    root = sentence.root
    collector.standing = None
    inside = [(p, c) for p, c in block.brackets if sentence.start_char <= p <= sentence.end_char]
    if inside:
        read_brackets(Block(block.text, block.offsets, tuple(inside)), nouns, collector)
    about = collector.references.about
    alone = root.pos_ == "NOUN" and child(root, "nsubj") is None
    finite = (t for t in root.children if t.tag_ in ("VBD", "VBZ", "VBP", "MD"))
    if alone and about is not None and not any(c.dep_ not in ("relcl", "acl") for c in finite):
        read_heading_phrase(root, about, collector)
    for token in tokens:
        if token.pos_ in VERBS and token.dep_ not in ("aux", "auxpass"):
            _clause(token, collector)
        elif token.pos_ in ("NOUN", "PROPN") and not ordered(token):
            read_noun(token, collector)


def _clause(verb: Token, collector: Collector) -> None:
    subjects = grammatical_subjects(verb)
    if verb.dep_ != "xcomp" and states_something(verb):
        if verb.lemma_ in LINKING and not is_passive(verb) and child(verb, "xcomp") is None:
            read_copula(verb, collector)
        else:
            read_verb(verb, collector)
    own = child(verb, "nsubj", "nsubjpass")
    if own is not None and verb.dep_ in ("ROOT", "conj", "ccomp") and len(subjects) == 1:
        subject = bearer(subjects[0])
        term = collector.references.term(subject)
        if term is not None:
            collector.references.note_subject(subject, term)


def _mentions(doc: Any, block: Block, mentions: dict[tuple[int, int], Mention]) -> None:
    taken: set[int] = set()
    for chunk in doc.noun_chunks:
        head = chunk.root
        if head.pos_ == "PRON" or len(mentions) >= MAX_MENTIONS:
            continue
        words = [w for w in words_of(head) if chunk.start <= w.i < chunk.end]
        _mention(words, head, block, mentions)
        taken.update(w.i for w in words)
    for entity in doc.ents:
        if entity.root.i not in taken and entity.label_ not in ("ORDINAL", "CARDINAL"):
            words = [t for t in entity if t.lower_ not in ("the", "a", "an")]
            _mention(words, entity.root, block, mentions)


def _mention(
    words: list[Token], head: Token, block: Block, mentions: dict[tuple[int, int], Mention]
) -> None:
    if not words or len(mentions) >= MAX_MENTIONS:
        return
    term = make_term(joined(words), head)
    if term is not None:
        span = block.span(words[0].idx, words[-1].idx + len(words[-1]))
        mentions.setdefault(span, Mention(term, *span))
