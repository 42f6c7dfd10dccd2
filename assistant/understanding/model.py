"""Understanding by a language model: one call that rewrites, splits and guesses an answer.

What the model writes is checked before it is used. Where it fails or writes nonsense, the rules'
understanding stands, and says so.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, ConfigDict

from assistant.understanding.prompts import SCHEMA, understanding_messages
from assistant.understanding.types import (
    REPLIED,
    AspectQuery,
    Message,
    Understander,
    Understanding,
    Way,
    last_answer,
    stood_in,
)
from assistant.understanding.words import content_words

MAX_QUERIES = 5
# Chosen on the turns of iKAT 2023 (`assistant eval ikat closed --only 2023`); see docs/ikat.md.
AS_ASKED_WEIGHT = 0.5
ANSWER_WEIGHT = 0.5
PART_WEIGHT = 0.3
CONTEXT_WEIGHT = 0.3

_LONGEST = 600  # characters; the schema allows far less, but not every endpoint keeps to it
_SAME_WORD = 6  # times that one content word may stand in one sentence

_log = logging.getLogger(__name__)


class Written(BaseModel):
    """What the model writes (`prompts.SCHEMA`)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    question: str
    queries: list[str] = []
    answer: str = ""


class ModelUnderstander:
    """A chat model's understanding on top of the rules'.

    Args:
        model: any chat model with structured output.
        rules: understands first messages, and those that the model fails on.
    """

    way: Way = "model"

    def __init__(self, model: BaseChatModel, rules: Understander) -> None:
        self._model = model
        self._rules = rules

    def understand(self, message: str, history: Sequence[Message]) -> Understanding:
        """See `Understander`. A first message stands alone and costs no call."""
        by_rules = self._rules.understand(message, history)
        if not history or by_rules.act in REPLIED:
            return by_rules
        try:
            written = self._write(message, history)
            why = nonsense(written, message, history)
        except Exception as error:  # noqa: BLE001 - a remote model can fail in any way
            _log.warning("the model could not understand a message: %s", error)
            why = f"the model failed: {str(error)[:160]}"
        if why:
            return stood_in(by_rules, why, model_calls=1)
        return replace(
            by_rules,
            standalone=written.question,
            queries=_queries(written, message, history),
            answer=written.answer,
            carried=(),
            way="model",
            reason="rewritten by the model from the last messages",
            model_calls=1,
        )

    def _write(self, message: str, history: Sequence[Message]) -> Written:
        structured = self._model.with_structured_output(SCHEMA)
        value = structured.invoke(understanding_messages(message, history))
        return Written.model_validate(value)


def nonsense(written: Written, message: str, history: Sequence[Message]) -> str:
    """Why what was written cannot be an understanding of the message, or nothing.

    A rewrite may only speak of what the conversation speaks of, so one that shares no content word
    with it is about something else (small models fall back on the examples of their prompt).
    """
    longest = max(map(len, (written.question, written.answer, *written.queries)))
    if longest > _LONGEST:
        return f"the model ran away ({longest:,} characters)"
    words = content_words(written.question)
    if not words:
        return "the model wrote no question"
    word, times = Counter(words).most_common(1)[0]
    if times >= _SAME_WORD:
        return f"the model repeated itself ('{word}' {times} times)"
    said = {w for text in (message, *(m.content for m in history)) for w in content_words(text)}
    if said and not said.intersection(words):
        return "the model wrote about something else"
    return ""


def _queries(written: Written, message: str, history: Sequence[Message]) -> tuple[AspectQuery, ...]:
    context = last_answer(history)
    leaning: dict[str, Any] = {
        "context": context,
        "context_weight": CONTEXT_WEIGHT if context else 0.0,
    }
    found = [AspectQuery(written.question, "question", 1.0, **leaning)]
    parts = [AspectQuery(text, "part", PART_WEIGHT, **leaning) for text in written.queries]
    if content_words(written.answer):
        found.append(AspectQuery(written.answer, "likely answer", ANSWER_WEIGHT))
    found += parts
    asked = " ".join(message.split())
    if content_words(asked):
        found.append(AspectQuery(asked, "as asked", AS_ASKED_WEIGHT, **leaning))
    unique = {query.text.casefold(): query for query in reversed(found) if query.text.strip()}
    return tuple(q for q in found if unique.get(q.text.casefold()) is q)[:MAX_QUERIES]
