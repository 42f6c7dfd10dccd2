"""What people and assistants say to each other, as pairs of texts for an embedder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assistant.distillation.examples import AnyExample, TagExample, TextPair, hash_texts
from assistant.distillation.sources.base import SOURCES
from assistant.distillation.sources.conversations import ConversationSource


@SOURCES.register("utterances")
class UtteranceSource(ConversationSource):
    """The lines of `conversations`, for the task `embed`.

    A message makes a pair with the last answer before it, and with the question that it stands for,
    where that is worded otherwise. So a student that learns an embedder's vectors meets messages,
    questions and answers, and no passage of an encyclopaedia.
    """

    def examples(self, file: Path) -> Iterator[AnyExample]:
        for example in super().examples(file):
            assert isinstance(example, TagExample)
            yield from _pairs(example)


def _pairs(example: TagExample) -> Iterator[TextPair]:
    answers = [said.content for said in example.history if said.role == "assistant"]
    if answers:
        yield _pair(example, example.message, answers[-1])
    if example.resolved != example.message:
        yield _pair(example, example.resolved, example.message)


def _pair(example: TagExample, query: str, passage: str) -> TextPair:
    return TextPair(
        hash_texts(query, passage)[:24],
        query,
        passage,
        domain=example.domain,
        weight=example.weight,
        origin=example.origin,
        difficulty=example.difficulty,
    )
