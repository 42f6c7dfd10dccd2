"""Readers: what turns evidence into an answer. All are asked the same way.

A reader yields, in order, pieces of text (written), or `Sentence`s (quoted word for word) and
`Worded` ones, or one `NotFound` and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk

from assistant.answering.citing import sentence_spans
from assistant.answering.dial import Share
from assistant.answering.evidence import Evidence, Sentence
from assistant.answering.forms import KnowledgeForm, Length, Prepared
from assistant.answering.naming import is_aside, naming, none_names
from assistant.answering.prompts import NOT_FOUND, answer_messages, own_messages
from assistant.events import FoundPassage, ReaderKind

# Chosen on squad2/dev by `benchmarks/calibrate.py`; docs/evaluation.md has the curves. Asked for
# sentences the model refuses readily by itself; asked for a phrase it hardly ever does, yet a tenth
# of the probability on the refusal is already a sign.
EXTRACTIVE_THRESHOLD = 0.40
REFUSAL_THRESHOLD = 0.50
SHORT_REFUSAL_THRESHOLD = 0.10

_KEEP_BESIDE_BEST = 0.88  # a further sentence is quoted only if it scores nearly as well
_TOP_LOGPROBS = 20


@dataclass(frozen=True, slots=True)
class NotFound:
    """The passages do not answer the question; `why` in words."""

    why: str


@dataclass(frozen=True, slots=True)
class Worded:
    """A sentence that says what one sentence of a passage says, in other words."""

    text: str
    sentence: Sentence


Piece = str | Sentence | Worded | NotFound


class Reader(Protocol):
    """Writes an answer from evidence."""

    @property
    def kind(self) -> ReaderKind: ...

    @property
    def reads_everything(self) -> bool:
        """Whether it reads whole passages, so that no sentence needs to be left out."""
        ...

    def write(
        self,
        question: str,
        evidence: Evidence,
        passages: Sequence[FoundPassage],
        about_person: Sequence[str] = (),
        facts: Sequence[str] = (),
        prepared: Sequence[Prepared] = (),
    ) -> Iterator[Piece]: ...


class ExtractiveReader:
    """Quotes the best sentences: what answers where no language model is installed.

    A question that names code ("What does st.cache_data do?") is answered out of passages that
    hold the name. Code and references are quoted only where no sentence answers.

    Args:
        sentences: at most this many.
        threshold: a best sentence that scores below is not taken for an answer.
    """

    kind: ReaderKind = "extractive"
    reads_everything = False

    def __init__(self, sentences: int = 3, threshold: float = EXTRACTIVE_THRESHOLD) -> None:
        self._sentences, self._threshold = sentences, threshold

    def write(
        self,
        question: str,
        evidence: Evidence,
        passages: Sequence[FoundPassage],
        about_person: Sequence[str] = (),
        facts: Sequence[str] = (),
        prepared: Sequence[Prepared] = (),
    ) -> Iterator[Piece]:
        numbers = {passage.number for passage in naming(question, passages)}
        if passages and not numbers:
            yield NotFound(none_names(question))
            return
        scored = [sentence for sentence in evidence.best if sentence.number in numbers]
        told = [sentence for sentence in scored if not is_aside(sentence.text)]
        best = told if told and told[0].score >= self._threshold else scored
        if not best or best[0].score < self._threshold:
            top = best[0].score if best else 0.0
            yield NotFound(f"the best sentence scores {top:.2f}, below {self._threshold:.2f}")
            return
        floor = max(self._threshold, _KEEP_BESIDE_BEST * best[0].score)
        yield from (s for s in best[: self._sentences] if s.score >= floor)


class ModelReader:
    """Lets a chat model write the answer.

    Args:
        model: any LangChain chat model.
        kind: "answerer" for a local model, "remote" for an endpoint.
        short: ask for a phrase instead of cited sentences (evaluation).
        form: in which knowledge is given to the model.
        refusal_threshold: when the probability that the answer begins with the refusal reaches
            this, it is one. Needs a model that reports log-probabilities; the plain text decides
            otherwise. None takes the calibrated one of the prompt's form.
        reliance: the dial between documents and the model's own knowledge; the model has to take
            `reliance` and `without`. None decodes plainly.
        length: of the answer.
    """

    reads_everything = False

    def __init__(
        self,
        model: BaseChatModel,
        kind: ReaderKind,
        *,
        max_tokens: int = 220,
        short: bool = False,
        form: KnowledgeForm = "both",
        refusal_threshold: float | None = None,
        logprobs: bool = False,
        reliance: Share | None = None,
        length: Length = "normal",
    ) -> None:
        self.kind: ReaderKind = kind
        options: dict[str, Any] = {"temperature": 0.0, "max_tokens": max_tokens}
        # With the dial on nothing is refused beforehand: the model may answer by itself.
        if logprobs and reliance is None:
            options.update(logprobs=True, top_logprobs=_TOP_LOGPROBS)
        self._model = model.bind(**options)
        self._short, self._form, self._reliance = short, form, reliance
        self._length: Length = length
        calibrated = SHORT_REFUSAL_THRESHOLD if short else REFUSAL_THRESHOLD
        self._threshold = calibrated if refusal_threshold is None else refusal_threshold

    def write(
        self,
        question: str,
        evidence: Evidence,
        passages: Sequence[FoundPassage],
        about_person: Sequence[str] = (),
        facts: Sequence[str] = (),
        prepared: Sequence[Prepared] = (),
    ) -> Iterator[Piece]:
        pieces = self._pieces(question, evidence, passages, about_person, facts, prepared)
        # Small models do not count sentences: a short answer ends with its first one.
        yield from first_sentence(pieces) if self._length == "short" else pieces

    def _pieces(
        self,
        question: str,
        evidence: Evidence,
        passages: Sequence[FoundPassage],
        about_person: Sequence[str],
        facts: Sequence[str],
        prepared: Sequence[Prepared],
    ) -> Iterator[Piece]:
        if not evidence.sentences:
            yield NotFound("no passage was found")
            return
        messages = answer_messages(
            question,
            evidence,
            passages,
            short=self._short,
            about_person=about_person,
            facts=facts,
            prepared=prepared,
            form=self._form,
            leaning=self._reliance is not None,
            length=self._length,
        )
        weighed: dict[str, Any] = {}
        if self._reliance is not None:
            own = own_messages(question, short=self._short, about_person=about_person)
            weighed = {"reliance": self._reliance, "without": own}
        held = ""  # the beginning is held back until it cannot be the refusal any more
        released = False
        first: float | None = None
        for chunk in self._model.stream(messages, **weighed):
            if first is None:
                first = refusal_probability(chunk)
                if first is not None and first >= self._threshold:
                    yield NotFound(f"the model finds no answer (p = {first:.2f})")
                    return
            text = str(chunk.text)
            if released:
                yield text
                continue
            held += text
            if _is_refusal(held):
                yield NotFound("the model finds no answer in the passages")
                return
            if not NOT_FOUND.startswith(_letters(held)):
                released = True
                yield held
        if not released:
            yield NotFound("the model wrote nothing")


def first_sentence(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """What is written until a second sentence begins; then the writing is stopped."""
    written = ""
    for piece in pieces:
        if not isinstance(piece, str):
            yield piece
            continue
        before = len(written)
        written += piece
        spans = sentence_spans(written)
        if len(spans) > 1 and any(c.isalnum() for c in written[spans[1][0] :]):
            if rest := written[before : spans[1][0]]:
                yield rest
            return
        yield piece


def refusal_probability(chunk: Any) -> float | None:
    """How likely the first token begins the refusal; None where the chunk does not tell."""
    if not isinstance(chunk, AIMessageChunk):
        return None
    content = (chunk.response_metadata.get("logprobs") or {}).get("content") or []
    if not content:
        return None
    first = NOT_FOUND.split()[0]
    alternatives = content[0].get("top_logprobs") or [content[0]]
    # Only a prefix of "NOT" in capitals: an answer such as "Not until 1990" is no refusal.
    return float(
        sum(
            math.exp(a["logprob"])
            for a in alternatives
            if (token := str(a["token"]).strip()) and first.startswith(token)
        )
    )


def _is_refusal(text: str) -> bool:
    return _letters(text).startswith(NOT_FOUND)


def _letters(text: str) -> str:
    return text.strip().lstrip("\"'*").strip()
