"""The text that the small language model rewrites a message from; it was trained on exactly this.

A conversation costs time by the token, so little of it is shown: the person's first message, which
says what the conversation is about, their last ones, and the beginning and end of the last answers.
A change here needs a new training (`assistant/distillation/recipes/rewriter-writes.yaml`).

No model and no index is known here, so that a machine that only trains needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.turn_marks import as_data
from assistant.understanding.shortened import shortened
from assistant.understanding.types import Message

REWRITING_SYSTEM = "Rewrite the last message so that it stands alone."

MESSAGE_CHARACTERS = 400
"""Of the message itself; a longer one loses its middle."""

_ASKED = 5  # of the person's messages before the last
_ASKED_CHARACTERS = 160
_ANSWERS = (360, 120)  # characters: of the last answer, of the one before it


def rewriting_prompt(message: str, history: Sequence[Message]) -> str:
    """What is shown of a conversation, a line for each message, and the message itself at its end.

    No text of it can begin a line of its own or end the model's turn.
    """
    asked = [place for place, one in enumerate(history) if one.role == "user"]
    answers = [place for place, one in enumerate(history) if one.role == "assistant"]
    limits = dict.fromkeys([*asked[:1], *asked[1:][-(_ASKED - 1) :]], _ASKED_CHARACTERS)
    limits |= dict(zip(reversed(answers), _ANSWERS, strict=False))
    lines = [
        f"{'User' if history[place].role == 'user' else 'Assistant'}: "
        f"{shortened(history[place].content, limits[place])}"
        for place in sorted(limits)
    ]
    return as_data("\n".join([*lines, f"Message: {shortened(message, MESSAGE_CHARACTERS)}"]))
