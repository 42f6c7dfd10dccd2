"""Which passages a person's questions have led to, from the stored conversations."""

from __future__ import annotations

from collections import Counter

from assistant.events import EvidenceSelected, SentenceChecked, TurnStarted
from assistant.memory.conversations import Conversations

_CITED, _READ = 3, 1
_MOST = 200  # conversations, the latest


def passage_uses(conversations: Conversations, index: str) -> Counter[str]:
    """How much the passages of an index were used, by id: 3 for each citation, 1 for a reading."""
    uses: Counter[str] = Counter()
    for conversation in conversations.list(_MOST):
        for turn in conversations.turns(conversation.id):
            started = [event for event in turn.events if isinstance(event, TurnStarted)]
            if not started or started[0].index != index:
                continue
            for event in turn.events:
                if isinstance(event, EvidenceSelected):
                    uses.update(dict.fromkeys(event.passage_ids, _READ))
                elif isinstance(event, SentenceChecked):
                    for citation in event.citations:
                        uses[citation.passage_id] += _CITED
    return uses
