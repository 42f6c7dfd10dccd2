"""Readers: what turns evidence into an answer. All are asked the same way.

A reader yields, in order, pieces of text (written), or `Sentence`s (quoted word for word), or
one `NotFound` and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk

from assistant.answering.evidence import Evidence, Sentence
from assistant.answering.prompts import NOT_FOUND, answer_messages
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


Piece = str | Sentence | NotFound


class Reader(Protocol):
    """Writes an answer from evidence."""

    @property
    def kind(self) -> ReaderKind: ...

    def write(
        self,
        question: str,
        evidence: Evidence,
        passages: Sequence[FoundPassage],
        about_person: Sequence[str] = (),
        facts: Sequence[str] = (),
    ) -> Iterator[Piece]: ...


class ExtractiveReader:
    """Quotes the best sentences: what answers where no language model is installed.

    Args:
        sentences: at most this many.
        threshold: a best sentence that scores below is not taken for an answer.
    """

    kind: ReaderKind = "extractive"

    def __init__(self, sentences: int = 3, threshold: float = EXTRACTIVE_THRESHOLD) -> None:
        self._sentences, self._threshold = sentences, threshold

    def write(
        self,
        question: str,
        evidence: Evidence,
        passages: Sequence[FoundPassage],
        about_person: Sequence[str] = (),
        facts: Sequence[str] = (),
    ) -> Iterator[Piece]:
        best = evidence.best
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
        refusal_threshold: when the probability that the answer begins with the refusal reaches
            this, it is one. Needs a model that reports log-probabilities; the plain text decides
            otherwise. None takes the calibrated one of the prompt's form.
    """

    def __init__(
        self,
        model: BaseChatModel,
        kind: ReaderKind,
        *,
        max_tokens: int = 220,
        short: bool = False,
        refusal_threshold: float | None = None,
        logprobs: bool = False,
    ) -> None:
        self.kind: ReaderKind = kind
        options: dict[str, Any] = {"temperature": 0.0, "max_tokens": max_tokens}
        if logprobs:
            options.update(logprobs=True, top_logprobs=_TOP_LOGPROBS)
        self._model = model.bind(**options)
        self._short = short
        calibrated = SHORT_REFUSAL_THRESHOLD if short else REFUSAL_THRESHOLD
        self._threshold = calibrated if refusal_threshold is None else refusal_threshold

    def write(
        self,
        question: str,
        evidence: Evidence,
        passages: Sequence[FoundPassage],
        about_person: Sequence[str] = (),
        facts: Sequence[str] = (),
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
        )
        held = ""  # the beginning is held back until it cannot be the refusal any more
        released = False
        first: float | None = None
        for chunk in self._model.stream(messages):
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
