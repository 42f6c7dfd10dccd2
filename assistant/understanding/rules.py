"""Understanding without a language model: milliseconds, and nothing to install.

The message is searched for as it was typed, its vector leaning on the last answer; where it leans
on the conversation, a second query adds the words that it leans on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.understanding.acts import act_of, without_chatter
from assistant.understanding.followup import carried_phrases, leans_on_history, points_back
from assistant.understanding.types import AspectQuery, Message, Understanding, Way, last_answer
from assistant.understanding.words import Phrases, content_words

# Chosen on the turns of iKAT 2023 (`assistant eval ikat closed --only 2023`); see docs/ikat.md.
CONTEXT_WEIGHT = 0.5
CARRIED_WEIGHT = 0.5
PART_WEIGHT = 0.3
MAX_PARTS = 3
_PART_WORDS = 2  # a part of a question says at least so much by itself

_QUESTIONS = re.compile(r"(?<=\?)\s+")


class RuleUnderstander:
    """Understanding by rules.

    Args:
        phrases: finds the phrases of a text.
    """

    way: Way = "rules"

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases

    def understand(self, message: str, history: Sequence[Message]) -> Understanding:
        """See `Understander`."""
        text = without_chatter(message)
        act = act_of(message)
        if not history:
            return Understanding(
                standalone=text,
                queries=(AspectQuery(text, "question"), *parts_of(text)),
                act=act,
                clarify=_clarify(text) if act == "question" else "",
                reason="the first question stands alone",
            )
        why = leans_on_history(text)
        carried = carried_phrases(text, history, self._phrases) if why else ()
        context = last_answer(history)
        weight = CONTEXT_WEIGHT if context else 0.0
        queries = [AspectQuery(text, "as asked", 1.0, context, weight)]
        if carried:
            with_words = f"{text} {' '.join(carried)}"
            queries.append(AspectQuery(with_words, "question", CARRIED_WEIGHT, context, weight))
        return Understanding(
            standalone=f"{text} (about: {', '.join(carried)})" if carried else text,
            queries=(*queries, *parts_of(text)),
            act=act,
            carried=carried,
            reason=_reason(why, carried),
        )


def _reason(why: str | None, carried: tuple[str, ...]) -> str:
    if why is None:
        return "the question stands alone"
    if carried:
        return f"{why}: carried over from earlier messages"
    return f"{why}, but earlier messages name nothing to carry over"


def parts_of(text: str) -> list[AspectQuery]:
    """The questions of a message that asks several, each as a query."""
    asked = [part for part in _QUESTIONS.split(text) if len(content_words(part)) >= _PART_WORDS]
    if len(asked) < 2:
        return []
    return [AspectQuery(part, "part", PART_WEIGHT) for part in asked[:MAX_PARTS]]


def _clarify(text: str) -> str:
    """What to ask back where a first message points at nothing that can be known."""
    if points_back(text) and len(content_words(text)) <= 1:
        return f"What do you mean exactly? “{text}” refers to something I cannot see."
    return ""
