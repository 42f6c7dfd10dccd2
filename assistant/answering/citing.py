"""Turning what a reader writes into checked sentences with citations, while it streams."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answering.evidence import Sentence
from assistant.answering.support import SUPPORT_THRESHOLD, Support, SupportScorer
from assistant.events import Citation, FoundPassage, SentenceChecked
from indexes.sentences import split_sentences

# Passage numbers have one or two digits; "[2024]" is part of the text.
_MARKS = re.compile(r"\s*\[\s*\d{1,2}(?:\s*[,;–-]\s*\d{1,2})*\s*\]")
_INDEXED = re.compile(r"[\w)\]]\[\d{1,2}\]")
_UNFINISHED_MARK = re.compile(r"\s*\[[\s\d,;–-]*$")
UNSUPPORTED_MARK = "[unsupported]"


class CitationWriter:
    """Collects the answer's text and hands out each sentence once it is finished and checked.

    A citation of the model is kept if the number exists and that passage supports the sentence.
    Otherwise the passage that supports it best is cited, marked as not the model's choice; and if
    none does, the sentence is marked or dropped, by setting.

    Args:
        drop: leave unsupported sentences out of the answer.
    """

    def __init__(
        self,
        passages: Sequence[FoundPassage],
        scorer: SupportScorer,
        *,
        drop: bool,
        threshold: float = SUPPORT_THRESHOLD,
    ) -> None:
        self._passages = {passage.number: passage for passage in passages}
        self._scorer = scorer
        self._drop = drop
        self._threshold = threshold
        self._buffer = ""
        self.sentences: list[SentenceChecked] = []

    def feed(self, text: str) -> list[SentenceChecked]:
        """Add text; returns the sentences that are finished now."""
        self._buffer += text
        return self._emit(keep_last=True)

    def finish(self) -> list[SentenceChecked]:
        """The text is complete; returns the rest."""
        return self._emit(keep_last=False)

    def quote(self, sentence: Sentence) -> SentenceChecked:
        """A sentence taken from a passage word for word supports itself."""
        citation = self._citation(Support(sentence.number, 1.0, sentence), by_model=False)
        checked = SentenceChecked(len(self.sentences), sentence.text, "supported", 1.0, (citation,))
        self.sentences.append(checked)
        return checked

    def word(self, text: str, source: Sentence) -> SentenceChecked:
        """A sentence that was made of one sentence of a passage; that one alone is its source.

        Where it does not support what was made of it, it stands there itself.
        """
        support = self._scorer.score_by(text, source)
        if support.score < self._threshold:
            return self.quote(source)
        citation = self._citation(support, by_model=True)
        checked = SentenceChecked(
            len(self.sentences), text, "supported", support.score, (citation,)
        )
        self.sentences.append(checked)
        return checked

    def _emit(self, *, keep_last: bool) -> list[SentenceChecked]:
        spans = sentence_spans(self._buffer)
        if keep_last:
            spans = spans[:-1]
            if spans and _UNFINISHED_MARK.match(self._buffer[spans[-1][1] :]):
                spans = spans[:-1]  # a mark may be coming that belongs to this sentence
        emitted = [self._check(self._buffer[start:end]) for start, end in spans]
        if spans:
            self._buffer = self._buffer[spans[-1][1] :]
        return [sentence for sentence in emitted if sentence is not None]

    def _check(self, raw: str) -> SentenceChecked | None:
        cited, text = self._take_marks(raw)
        if not re.search(r"\w", text):
            return None
        supports = self._scorer.score(text)
        accepted = [s for s in supports if s.score >= self._threshold]
        chosen = [s for s in accepted if s.number in cited] or accepted[:1]
        best = max((s.score for s in chosen or supports), default=0.0)
        citations = tuple(self._citation(s, by_model=s.number in cited) for s in chosen)
        status = "supported" if citations else "dropped" if self._drop else "unsupported"
        checked = SentenceChecked(
            len(self.sentences),
            text,
            status,  # type: ignore[arg-type]
            best,
            citations,
        )
        self.sentences.append(checked)
        return checked

    def _take_marks(self, raw: str) -> tuple[set[int], str]:
        """The numbers cited, and the text without its marks.

        `argv[1]` looks like a word with a citation; what a passage itself contains is none.
        """
        kept = [
            match.span()
            for match in _INDEXED.finditer(raw)
            if any(
                raw[max(0, match.start() - 2) : match.end()] in p.text
                for p in self._passages.values()
            )
        ]
        marks = [m for m in _MARKS.finditer(raw) if not any(a < m.end() <= b for a, b in kept)]
        text, last = "", 0
        for mark in marks:
            text += raw[last : mark.start()]
            last = mark.end()
        cited = cited_numbers(" ".join(mark.group() for mark in marks))
        return cited, " ".join((text + raw[last:]).split())

    def _citation(self, support: Support, *, by_model: bool) -> Citation:
        sentence = support.sentence
        passage = self._passages[support.number]
        return Citation(
            number=support.number,
            passage_id=passage.passage_id,
            start=sentence.start,
            end=sentence.end,
            quote=sentence.text,
            support=round(support.score, 4),
            by_model=by_model,
        )


def cited_numbers(text: str) -> set[int]:
    """The numbers in citation marks like [1], [2, 3], [2-4] or [1][4]."""
    numbers: set[int] = set()
    for mark in _MARKS.finditer(text):
        for first, last in re.findall(r"(\d+)(?:\s*[–-]\s*(\d+))?", mark.group()):
            numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def answer_text(sentences: Sequence[SentenceChecked]) -> str:
    """The checked answer as one text with its marks; dropped sentences are left out."""
    parts = []
    for sentence in sentences:
        if sentence.status == "dropped":
            continue
        marks = "".join(f"[{citation.number}]" for citation in sentence.citations)
        parts.append(f"{sentence.text} {marks or UNSUPPORTED_MARK}")
    return " ".join(parts)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Sentences, with marks that follow the full stop counted to the sentence before."""
    merged: list[tuple[int, int]] = []
    for start, end in split_sentences(text):
        mark = _MARKS.match(text, start)
        if merged and mark and mark.end() <= end:
            merged[-1] = (merged[-1][0], mark.end())
            start = mark.end()
            if not text[start:end].strip():
                continue
        merged.append((start, end))
    return merged
