"""Understanding by the small language model with an adapter that rewrites the last message.

It writes one question that stands alone, in half a second; the parts of a message that asks several
things are the rules', and a likely answer is not written: what a model of 135 M parameters knows is
not worth searching for. What it writes is checked like a large model's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from assistant.errors import KnowledgeAssistantError
from assistant.understanding.acts import act_of, without_chatter
from assistant.understanding.model import AS_ASKED_WEIGHT, CONTEXT_WEIGHT, Written, nonsense
from assistant.understanding.rewriting_form import (
    MESSAGE_CHARACTERS,
    REWRITING_SYSTEM,
    rewriting_prompt,
)
from assistant.understanding.rules import parts_of
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

_MOST_TOKENS = 64

_log = logging.getLogger(__name__)


class SmallUnderstander:
    """A small chat model's rewrite on top of the rules' understanding.

    Args:
        model: gives the loaded model; what it raises is said, and rules stand in.
        rules: understands first messages, and those that the model fails on.
    """

    way: Way = "small"

    def __init__(self, model: Callable[[], BaseChatModel], rules: Understander) -> None:
        self._model = model
        self._rules = rules

    def understand(self, message: str, history: Sequence[Message]) -> Understanding:
        """See `Understander`. A first message stands alone and costs no call."""
        act = act_of(message)
        if not history or act in REPLIED:
            return self._rules.understand(message, history)
        text = without_chatter(message)
        question, why, calls = "", "the message is too long to be written anew", 0
        if len(text) <= MESSAGE_CHARACTERS:
            try:
                question, why = self._write(text, history)
                calls = 1
            except KnowledgeAssistantError as error:
                _log.warning("the small language model could not rewrite a message: %s", error)
                why = error.message
        if why:
            return stood_in(self._rules.understand(message, history), why, calls)
        queries = _queries(question, text, history)
        changed = any(query.aspect == "as asked" for query in queries)
        return Understanding(
            standalone=question,
            queries=queries,
            act=act,
            way="small",
            reason="rewritten by the small language model from the last messages"
            if changed
            else "it stands alone as it is",
            model_calls=calls,
        )

    def _write(self, text: str, history: Sequence[Message]) -> tuple[str, str]:
        """What the model writes, and why it cannot be used, or nothing."""
        reply = self._model().invoke(
            [SystemMessage(REWRITING_SYSTEM), HumanMessage(rewriting_prompt(text, history))],
            temperature=0.0,
            max_tokens=_MOST_TOKENS,
        )
        question = " ".join(str(reply.text).split())
        if reply.response_metadata.get("finish_reason") == "length":
            return question, "the model did not come to an end"
        return question, nonsense(Written(question=question), text, history)


# Weighed like a large model's rewrite: of five other weights none was better on the turns of iKAT
# 2023 both with and without the passages that were shown (docs/ikat.md).
def _queries(question: str, text: str, history: Sequence[Message]) -> tuple[AspectQuery, ...]:
    context = last_answer(history)
    weight = CONTEXT_WEIGHT if context else 0.0
    queries = [AspectQuery(question, "question", 1.0, context, weight)]
    if question.casefold() != text.casefold():
        queries.append(AspectQuery(text, "as asked", AS_ASKED_WEIGHT, context, weight))
    return (*queries, *parts_of(text))
