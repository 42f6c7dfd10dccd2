"""The small reader: a span model finds the words that answer, a small language model words them.

The skill is split because a model of 135 M parameters that is asked to do both ignores the
passages. An encoder of 22 M parameters (`assistant/distillation/spans/`) reads every passage with
the question and points at the words that answer, or at nothing; the sentence they stand in is the
quotation. From question, quotation and words the language model makes a sentence. If that sentence
leaves the words out or says more than question and quotation do, the quotation stands instead, so
the language model can make an answer smoother and never make it wrong.

A question that asks for an account ("how do I …", "why …") has no words to be pointed at. Where
none are found for it, or only in lines that are no sentences, the nearest sentences are quoted, by
the rules of the extractive reader. One that names code is asked of the passages that hold the name
(`naming.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from assistant.answering.accounts import asks_for_account
from assistant.answering.evidence import Evidence, Sentence, sentences_of
from assistant.answering.faithful import is_faithful
from assistant.answering.forms import Prepared
from assistant.answering.naming import naming, none_names
from assistant.answering.readers import ExtractiveReader, NotFound, Piece, Worded
from assistant.answering.small_forms import WORDING_SYSTEM, wording_prompt
from assistant.distillation.spans.asking import Asked, Span
from assistant.events import FoundPassage, ReaderKind
from assistant.understanding.stems import stems

# Words of a further sentence are taken if their score is at most this far below the best one's, in
# logits: e^-2 of its odds.
_NEAR_BEST = 2.0
_WORDING_TOKENS = 64
_SHORT = 40  # words of a quotation that is read at a glance
_ENDS = (".", "!", "?", "…", '."', ".”", ".)")
_CANDIDATES = 3  # spans of each passage


class SpanSource(Protocol):
    """What points at words: `assistant.distillation.spans.model.SpanModel`."""

    def find(
        self, asked: Sequence[Asked], *, n_best: int = 1, batch_tokens: int = 4096
    ) -> list[list[Span]]: ...


@dataclass(frozen=True, slots=True)
class Pointed:
    """Words that answer, and the sentence they stand in.

    `score` is the logit of the words minus that of "not here"; 0 is undecided.
    """

    words: str
    sentence: Sentence
    title: str
    score: float


class SmallReader:
    """Answers with the distilled models.

    Args:
        spans: points at the words.
        wording: makes a sentence of them; None quotes.
        threshold: a best score below it is no answer.
        sentences: of at most so many.
        short: answer with the words alone (evaluation).
    """

    kind: ReaderKind = "small"
    reads_everything = True

    def __init__(
        self,
        spans: SpanSource,
        wording: BaseChatModel | None,
        *,
        threshold: float,
        sentences: int = 2,
        short: bool = False,
    ) -> None:
        self._spans = spans
        self._wording = wording
        self._threshold = threshold
        self._sentences = sentences
        self._short = short

    def write(
        self,
        question: str,
        evidence: Evidence,
        passages: Sequence[FoundPassage],
        about_person: Sequence[str] = (),
        facts: Sequence[str] = (),
        prepared: Sequence[Prepared] = (),
    ) -> Iterator[Piece]:
        """See `Reader`. It reads passages alone: no facts, statements or prepared knowledge."""
        named = naming(question, passages)
        if passages and not named:
            yield NotFound(none_names(question))
            return
        found = self._pointed(question, named, evidence.sentences)
        if not found or found[0].score < self._threshold:
            said = f"{found[0].score:.1f}, below {self._threshold:.1f}" if found else "no passage"
            why = f"no words of the passages answer: the best score {said}"
            yield from self._account(question, evidence, passages, why)
            return
        if self._short:
            yield found[0].words
            return
        quoted = _distinct(_worth_quoting(question, found, self._threshold))
        if not quoted:
            why = "only headings or lines of code name what is asked, and say nothing of it"
            yield from self._account(question, evidence, passages, why)
            return
        if not any(_is_sentence(p) for p in quoted):
            # a signature or an item of a list has the words, and a sentence near by an account
            account = list(self._account(question, evidence, passages, ""))
            if not isinstance(account[0], NotFound):
                yield from account
                return
        for pointed in quoted[: self._sentences]:
            text = self._worded(question, pointed)
            yield pointed.sentence if text is None else Worded(text, pointed.sentence)

    def point(self, question: str, passages: Sequence[FoundPassage]) -> list[Pointed]:
        """The words found, best first; of each sentence the best, and no words twice."""
        return _distinct(self._pointed(question, passages, sentences_of(passages)))

    def _account(
        self, question: str, evidence: Evidence, passages: Sequence[FoundPassage], why: str
    ) -> Iterator[Piece]:
        """The sentences nearest to a question for an account, or that nothing was found."""
        if evidence.select is None or self._short or not asks_for_account(question):
            yield NotFound(why)
            return
        chosen = evidence.select()
        for piece in ExtractiveReader(self._sentences).write(question, chosen, passages):
            yield NotFound(f"{why}; {piece.why}") if isinstance(piece, NotFound) else piece

    def _pointed(
        self, question: str, passages: Sequence[FoundPassage], sentences: Sequence[Sentence]
    ) -> list[Pointed]:
        spans = self._spans.find(
            [Asked(question, p.title, p.text) for p in passages], n_best=_CANDIDATES
        )
        found: list[Pointed] = []
        for passage, of_passage in zip(passages, spans, strict=True):
            own = [s for s in sentences if s.number == passage.number]
            for span in of_passage:
                at = passage.start + span.start
                sentence = next((s for s in own if s.start <= at < s.end), None)
                words = " ".join(passage.text[span.start : span.end].split())
                if sentence is not None and words:
                    found.append(Pointed(words, sentence, passage.title, span.score))
        return sorted(found, key=lambda p: (-p.score, p.sentence.number, p.sentence.position))

    def _worded(self, question: str, pointed: Pointed) -> str | None:
        """The answer as a sentence, or None where the quotation is better."""
        quote = pointed.sentence.text
        if self._wording is None or pointed.words.rstrip(".") == quote.rstrip("."):
            return None
        reply = self._wording.invoke(
            [
                SystemMessage(WORDING_SYSTEM),
                HumanMessage(wording_prompt(question, pointed.title, quote, pointed.words)),
            ],
            temperature=0.0,
            max_tokens=_WORDING_TOKENS,
        )
        sentence = " ".join(str(reply.text).split())
        if _only_shortens(sentence, quote):
            return None
        return sentence if is_faithful(sentence, question, quote, pointed.words) else None


def _worth_quoting(question: str, found: Sequence[Pointed], threshold: float) -> list[Pointed]:
    """The places that answer as well as the best one or nearly so.

    Lines of code, signatures and headings hold the words as well as a sentence does, and say less
    of them: where there is a sentence they are passed over. A line that says nothing of the words
    is never shown.

    Args:
        found: best first.
    """
    there = [p for p in found if p.score >= threshold]
    telling = [p for p in there if not _is_bare(question, p)]
    sentences = [p for p in there if _is_sentence(p)]
    close = [p for p in there if p.score >= there[0].score - _NEAR_BEST]
    for places in (sentences, telling):
        if both := [p for p in places if p in close]:
            return both
    rest = sentences or telling
    return [p for p in rest if p.score >= rest[0].score - _NEAR_BEST]


def _is_bare(question: str, pointed: Pointed) -> bool:
    """Whether a line that is no sentence is one word, or has but the words, or what was asked."""
    quote = pointed.sentence.text
    said = set(stems(quote))
    nothing = said <= set(stems(pointed.words)) or said <= set(stems(question))
    return (nothing or " " not in quote) and not _is_sentence(pointed)


def _is_sentence(pointed: Pointed) -> bool:
    return pointed.sentence.text.endswith(_ENDS)


def _only_shortens(sentence: str, quote: str) -> bool:
    """Whether a sentence leaves something out of a short quotation and brings nothing to it.

    "A minimum spanning tree is a subgraph" says less than the quotation it was made of; "the lease
    ends in May", made of "it ends in May", says what ends.
    """
    return len(quote.split()) <= _SHORT and set(stems(sentence)) < set(stems(quote))


def _distinct(found: Sequence[Pointed]) -> list[Pointed]:
    kept: list[Pointed] = []
    places: set[tuple[int, int]] = set()
    words: set[str] = set()
    for pointed in found:
        place = (pointed.sentence.number, pointed.sentence.position)
        key = pointed.words.casefold()
        if place not in places and key not in words:
            kept.append(pointed)
        places.add(place)
        words.add(key)
    return kept
