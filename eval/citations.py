"""Whether an answer's citations are there, point at what was read, and hold the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.answering.citing import CitationWriter
from assistant.answering.evidence import Evidence, Sentence
from assistant.answering.readers import NotFound, Piece, Worded
from assistant.answering.support import SupportScorer
from assistant.events import FoundPassage, SentenceChecked
from assistant.text_overlap import normalise
from indexes.encoders import DenseEncoder


@dataclass(frozen=True, slots=True)
class CitationsJudged:
    """One answer's citations.

    Attributes:
        valid: every sentence has a citation, and each names a passage that was found and a
            sentence that stands in it word for word.
        citations: how many there are.
        holding: how many cite a sentence that holds a gold answer.
        said: the answer's own text holds a gold answer.
    """

    valid: bool
    citations: int
    holding: int
    said: bool


def checked(
    pieces: Iterable[Piece],
    passages: Sequence[FoundPassage],
    evidence: Evidence,
    encoder: DenseEncoder | None,
) -> tuple[SentenceChecked, ...]:
    """A reader's pieces as a turn checks them; empty where it abstains.

    As in a turn, an answer of which no sentence is supported is an abstention.
    """
    writer = CitationWriter(passages, SupportScorer(evidence.sentences, encoder), drop=False)
    for piece in pieces:
        if isinstance(piece, NotFound):
            return ()
        if isinstance(piece, Sentence):
            writer.quote(piece)
        elif isinstance(piece, Worded):
            writer.word(piece.text, piece.sentence)
        else:
            writer.feed(piece)
    writer.finish()
    if not any(sentence.status == "supported" for sentence in writer.sentences):
        return ()
    return tuple(writer.sentences)


def judge_citations(
    sentences: Sequence[SentenceChecked], passages: Sequence[FoundPassage], gold: Sequence[str]
) -> CitationsJudged:
    """Judge the citations of an answer, at least one sentence."""
    by_number = {passage.number: passage for passage in passages}
    cited = [citation for sentence in sentences for citation in sentence.citations]
    real = True
    for citation in cited:
        passage = by_number.get(citation.number)
        stands = (
            passage.text[citation.start - passage.start : citation.end - passage.start]
            if passage is not None and passage.passage_id == citation.passage_id
            else ""
        )
        real = real and " ".join(stands.split()) == citation.quote and bool(citation.quote)
    return CitationsJudged(
        valid=real and all(sentence.citations for sentence in sentences),
        citations=len(cited),
        holding=sum(holds(citation.quote, gold) for citation in cited),
        said=holds(" ".join(sentence.text for sentence in sentences), gold),
    )


def summarise(
    judged: Sequence[CitationsJudged | None], answerable: Sequence[bool]
) -> dict[str, float]:
    """Measures over all questions; None where it abstained, and 0 where there is nothing to count.

    `valid`: share of the answers given that are. `precision`: share of all citations that hold a
    gold answer (on a question without one, none does). `recall`: share of the answerable questions
    with such a citation. `said`: share of them whose answer's text holds a gold answer.
    """
    given = [one for one in judged if one is not None]
    wanted = [one for one, is_wanted in zip(judged, answerable, strict=True) if is_wanted]
    citations = sum(one.citations for one in given)
    values = {
        "valid": _share(sum(one.valid for one in given), len(given)),
        "precision": _share(sum(one.holding for one in given), citations),
        "recall": _share(sum(bool(one and one.holding) for one in wanted), len(wanted)),
        "said": _share(sum(bool(one and one.said) for one in wanted), len(wanted)),
    }
    return {name: round(value, 4) for name, value in values.items()}


def holds(text: str, gold: Sequence[str]) -> bool:
    """Whether one of the gold answers stands in a text as whole words, after normalisation."""
    words = f" {normalise(text)} "
    return any(f" {answer} " in words for g in gold if (answer := normalise(g)))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
