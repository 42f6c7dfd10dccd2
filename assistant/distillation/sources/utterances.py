"""What people and assistants say to each other, as pairs of texts for an embedder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assistant.distillation.examples import AnyExample, TagExample, TextPair
from assistant.distillation.sources.base import SOURCES
from assistant.distillation.sources.conversations import ConversationSource
from assistant.distillation.sources.texts import pair_of
from assistant.understanding.types import last_answer


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
    kept = {name: getattr(example, name) for name in ("domain", "weight", "origin", "difficulty")}
    if answer := last_answer(example.history):
        yield pair_of(example.message, answer, **kept)
    if example.resolved != example.message:
        yield pair_of(example.resolved, example.message, **kept)
