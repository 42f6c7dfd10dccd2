"""The vector of a follow-up: of the message together with what was said before it.

A small encoder (`assistant/distillation/message_encoder.py`) puts "And how heavy is it?" where the
embedder has the question that it stands for. Words are another's matter: what the lexical and the
sparse stage search for, and what a person reads, is as it was understood.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.errors import KnowledgeAssistantError
from assistant.understanding.acts import without_chatter
from assistant.understanding.types import (
    REPLIED,
    Aspect,
    Message,
    Understander,
    Understanding,
    Way,
)
from indexes.queries import QueryVector

if TYPE_CHECKING:
    from assistant.distillation.message_encoder import MessageEncoder

# Queries that ask for the whole message. That both bring the vector was chosen on the turns of
# iKAT 2023; see docs/ikat.md.
ASPECTS: frozenset[Aspect] = frozenset({"as asked", "question"})

REASON = "its vector takes in what was said before"

_log = logging.getLogger(__name__)


class InConversation:
    """Another's understanding; the queries for a follow-up bring its vector.

    Args:
        inner: understands the message.
        encoder: gives the loaded encoder, or None where its vectors are not of the embedder that
            is searched with; what it raises is logged, and queries stay as they are.
    """

    def __init__(self, inner: Understander, encoder: Callable[[], MessageEncoder | None]) -> None:
        self._inner, self._encoder = inner, encoder

    @property
    def way(self) -> Way:
        return self._inner.way

    def understand(self, message: str, history: Sequence[Message]) -> Understanding:
        """See `Understander`. A first message stands alone, whatever understands it."""
        understood = self._inner.understand(message, history)
        if not history or understood.act in REPLIED:
            return understood
        try:
            encoder = self._encoder()
            if encoder is None:
                return understood
            values = encoder.encode(without_chatter(message), history)
        except KnowledgeAssistantError as error:
            _log.warning("the encoder of messages cannot be used: %s", error)
            return understood
        vector = QueryVector(encoder.space, values)
        queries = tuple(
            replace(query, vector=vector) if query.aspect in ASPECTS else query
            for query in understood.queries
        )
        return replace(understood, queries=queries, reason=f"{understood.reason}; {REASON}")
