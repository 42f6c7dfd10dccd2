"""Turning what a reader writes into checked sentences with citations, while it streams."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answering.evidence import Sentence
from assistant.answering.support import SUPPORT_THRESHOLD, Support, SupportScorer
from assistant.events import Citation, FoundPassage, SentenceChecked
from indexes.sentences import split_sentences

_MARKS = re.compile(r"\s*\[\s*\d+(?:\s*[,;–-]\s*\d+)*\s*\]")
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

    def _emit(self, *, keep_last: bool) -> list[SentenceChecked]:
        spans = _spans(self._buffer)
        if keep_last:
            spans = spans[:-1]
            if spans and _UNFINISHED_MARK.match(self._buffer[spans[-1][1] :]):
                spans = spans[:-1]  # a mark may be coming that belongs to this sentence
        emitted = [self._check(self._buffer[start:end]) for start, end in spans]
        if spans:
            self._buffer = self._buffer[spans[-1][1] :]
        return [sentence for sentence in emitted if sentence is not None]

    def _check(self, raw: str) -> SentenceChecked | None:
        cited = cited_numbers(raw)
        text = " ".join(_MARKS.sub("", raw).split())
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
    """The numbers in citation marks like [1], [2, 3] or [1][4]."""
    marks = " ".join(match.group() for match in _MARKS.finditer(text))
    return {int(number) for number in re.findall(r"\d+", marks)}


def answer_text(sentences: Sequence[SentenceChecked]) -> str:
    """The checked answer as one text with its marks; dropped sentences are left out."""
    parts = []
    for sentence in sentences:
        if sentence.status == "dropped":
            continue
        marks = "".join(f"[{citation.number}]" for citation in sentence.citations)
        parts.append(f"{sentence.text} {marks or UNSUPPORTED_MARK}")
    return " ".join(parts)


def _spans(text: str) -> list[tuple[int, int]]:
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
